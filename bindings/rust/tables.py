#!/usr/bin/env python3
"""Makes the declarations of meshwork-sys and tables.rs from the headers, and keys.rs from what the library says about
itself.

usage: tables.py PATH_TO_LIBMESHWORK [--write]
Without --write it compares: a stale table fails."""
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests/abi"))
import described  # noqa: E402

HEADERS = [HERE / f"../../include/meshwork/{name}.h" for name in ("base", "conf", "msg", "ctx", "handle", "link", "mesh", "channel", "share")]
NOTE = "// Made by bindings/rust/tables.py from the library. Do not edit.\n"
KINDS = ((1, "Context"), (2, "Provider"), (3, "Consumer"), (4, "Subscription"), (5, "Service"), (6, "Call"),
         (7, "Hub"), (8, "Channel"), (9, "Share"), (10, "Election"), (11, "Node"), (12, "Manager"))


# Where Rust has a name for what the header's comment calls a field, or the header has none.
DOCS = {
    "UP": "A usable link or listener; `code`: attempts; `text`: facts as JSON",
    "DOWN": "The link is lost; `status` why, `code` close code, `retry_in`, `text` the reason",
    "CLOSED": "The last event of a handle (`id`); `status` why, `code` close code, `text` the reason",
    "ERROR": "A failure in the background; `status`, `text`",
    "LOG": "A line; `code` the level from 1 (error) to 5 (trace), `topic` the area, `text` the line",
    "PEER_UP": "A peer was admitted; `peer`; `text`: facts as JSON",
    "PEER_DOWN": "The last event of a peer; `status` why, `code` close code, `text` the reason",
    "MESSAGE": "A message; `peer` (provider), `topic`, `body` or `text`, `message` with its headers",
    "WRITABLE": "There is room again for sends; `peer` (provider)",
    "SLOW": "A peer is slow; `id` bytes wait, `code` the policy about to act",
    "MW_EVENT_DROPPED": "Messages were dropped; `code` how many, `status` why, `body` the last one",
    "PING": "A ping came (told only when asked for by the option `events`)",
    "PONG": "A pong came; `id` the round trip in microseconds",
    "INTEREST": "Who is subscribed changed; `topic`, `code` the new count, `id` the old one",
    "ASK": "May this client come in? Answer with `ask`; `text`: the request as JSON",
    "MW_EVENT_DRAINING": "The other side drains; `code` ms until our turn, `id` its deadline in ms",
    "LAST_BEAT": "Milliseconds since 1970 of the last heartbeat seen",
    "BEAT_INTERVAL": "Milliseconds between heartbeats", "BEAT_CUTOFF": "Milliseconds of silence that end the link",
    "BYTES_IN": "Bytes received", "BYTES_OUT": "Bytes sent", "MESSAGES_IN": "Messages received", "MESSAGES_OUT": "Messages sent",
    "IDLE": "Not started", "CONNECTING": "On the way to its first or next link", "MW_STATE_UP": "Connected, or listening",
    "READY": "Connected, and everything after it done", "WAITING": "For the next attempt",
    "MW_STATE_DRAINING": "Finishing what runs", "RTT": "Microseconds of the last ping's round trip",
}


TYPES = {"void": "c_void", "char": "c_char", "int": "c_int", "int32_t": "i32", "int64_t": "i64", "uint32_t": "u32",
         "uint64_t": "u64", "uint8_t": "u8", "size_t": "usize"}


def rust_type(c):
    """const char * -> *const c_char"""
    stars, const = c.count("*"), "const " in c
    name = re.sub(r"const |\*", "", c).strip()
    inner = TYPES.get(name, name)
    for i in range(stars):
        inner = f"*const {inner}" if const and i == 0 else f"*mut {inner}"
    return inner


def value_type(name):
    return "u32" if re.match("MW_(SF|EVENT|F|FAIL|CLOSE)_", name) else "i32"


def declarations():
    """Every type, value and function of the headers."""
    whole = "\n".join(h.read_text() for h in HEADERS)
    text = re.sub(r"/\*.*?\*/", "", whole, flags=re.S)
    lines = [NOTE, "use core::ffi::{c_char, c_int, c_void};", ""]
    for of, name in re.findall(r"^typedef (\w+) (mw_\w+);", text, re.M):
        lines.append(f"pub type {name} = {TYPES[of]};")
    for name, arguments in re.findall(r"^typedef void \(\*(mw_\w+)\)\((.*)\);", text, re.M):
        parts = [re.match(r"(.*[ *])(\w+)$", a.strip()).groups() for a in arguments.split(",")]
        given = ", ".join(f"{n}: {rust_type(t)}" for t, n in parts)
        lines.append(f'pub type {name} = Option<unsafe extern "C" fn({given})>;')
    for name in re.findall(r"^typedef struct (mw_\w+) \1;", text, re.M):
        lines += ["", "#[repr(C)]", f"pub struct {name} {{", "    _opaque: [u8; 0],", "}"]
    for name, fields in re.findall(r"^typedef struct (mw_\w+) \{\n(.*?)\}", whole, re.M | re.S):
        plain = "" if "[" in re.sub(r"/\*.*?\*/", "", fields) else ", Debug, Default"  # a long array has no Default
        lines += ["", "#[repr(C)]", f"#[derive(Clone, Copy{plain})]", f"pub struct {name} {{"]
        for of, field, count, comment in re.findall(r"^  (\w+) (\w+)(?:\[(\d+)\])?; */\* (.*?) \*/$", fields, re.M):
            comment = comment.replace("[", "\\[").replace("]", "\\]")
            lines += [f"    /// {comment}", f"    pub {field}: {f'[{TYPES[of]}; {count}]' if count else TYPES[of]},"]
        lines.append("}")
    lines += ["", "values! {"]
    for name, value in re.findall(r"\b(MW_[A-Z_]+) = (-?(?:0x)?[0-9a-fA-F]+)", text):
        lines.append(f"    {name}: {value_type(name)} = {value};")
    lines += ["}", "", 'extern "C" {']
    for answer, name, arguments in re.findall(r"MW_API ([\w ]+[ *]+)(mw_\w+)\(([^)]*)\);", text):
        parts = [] if arguments == "void" else [re.match(r"(.*[ *])(\w+)$", a.strip(), re.S).groups() for a in arguments.split(",")]
        given = ", ".join(f"{'call' if n == 'fn' else n}: {rust_type(t)}" for t, n in parts)
        told = rust_type(answer)
        lines.append(f"    pub fn {name}({given}){'' if told == 'c_void' else ' -> ' + told};")
    return "\n".join(lines) + "\n}\n"


def values(prefix):
    """(name without prefix, number, comment) of the headers' enumerations."""
    text = "\n".join(h.read_text() for h in HEADERS)
    for name, number, comment in re.findall(rf"^  {prefix}(\w+) = (\w+),? *(?:/\* (.*?) \*/)?$", text, re.M):
        yield name, number, re.sub(r"([\[\]<>])", r"\\\1", comment or name.replace("_", " ").lower())


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def sentence(text):
    return text[0].upper() + text[1:]


def documented(prefix, word, comment):
    return sentence(DOCS.get(prefix + word) or DOCS.get(word) or comment)


def enumeration(name, doc, prefix, number):
    """An enum, how it is made of a number, and its names."""
    rows = [row for row in values(prefix) if row[0] not in ("DONE", "RELEASED")]
    lines = ["", f"/// {doc}", "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]", "#[non_exhaustive]", f"pub enum {name} {{"]
    for word, _, comment in rows:
        lines += [f"    /// {documented(prefix, word, comment)}.", f"    {camel(word)},"]
    lines += ["    /// One this crate does not know yet.", f"    Other({number}),", "}", "", f"impl {name} {{",
              "    /// That of a number of the C interface.", f"    pub fn of(number: {number}) -> {name} {{", "        match number {"]
    lines += [f"            {value} => {name}::{camel(word)}," for word, value, _ in rows]
    lines += [f"            other => {name}::Other(other),", "        }", "    }", "", "    /// The number of the C interface.",
              f"    pub fn number(self) -> {number} {{", "        match self {"]
    lines += [f"            {name}::{camel(word)} => {value}," for word, value, _ in rows]
    lines += [f"            {name}::Other(other) => other,", "        }", "    }", "",
              f"    /// The name of the C interface, such as `{rows[0][0]}`.", "    pub fn name(self) -> &'static str {", "        match self {"]
    lines += [f'            {name}::{camel(word)} => "{word}",' for word, _, _ in rows]
    lines += [f'            {name}::Other(_) => "OTHER",', "        }", "    }", "", "    /// That of a name of the C interface.",
              f"    pub fn named(name: &str) -> Option<{name}> {{", "        match name {"]
    lines += [f'            "{word}" => Some({name}::{camel(word)}),' for word, _, _ in rows]
    return lines + ["            _ => None,", "        }", "    }", "}"]


def tables(lib):
    lines = [NOTE, "use crate::{Code, Flags};\n", "impl Code {"]
    for name, value in re.findall(r"^  (MW_(?:E[A-Z]+|OK|BUFFERED|STORED|MORE)) = (-?\d+)", HEADERS[0].read_text(), re.M):
        if lib.mw_status_name(int(value)).decode() != name:
            raise SystemExit(f"{name} = {value} has another name in the library")
        lines += [f"    /// {sentence(lib.mw_status_text(int(value)).decode())}", f"    pub const {name[3:]}: Code = Code({value});"]
    flags = [row for row in values("MW_F_") if row[0] != "REF"]
    lines += ["}", "", "impl Flags {"]
    for name, value, comment in flags:
        lines += [f"    /// {sentence(comment)}.", f"    pub const {name}: Flags = Flags({value});"]
    lines += ["    pub(crate) const NAMES: &'static [(Flags, &'static str)] = &["]
    lines += [f'        (Flags::{name}, "{name}"),' for name, _, _ in flags] + ["    ];", "}"]
    lines += enumeration("Kind", "What an event is about, and what its fields mean.", "MW_EVENT_", "u32")
    lines += enumeration("Stat", "A number something keeps.", "MW_STAT_", "i32")
    lines += enumeration("State", "In which state something is.", "MW_STATE_", "i32")
    return "\n".join(lines) + "\n"


def keys(lib):
    lines = [NOTE[:-1], "//! Every option key as a constant, so that a misspelt one does not compile: `keys::provider::PORT`.", ""]
    for kind, noun in KINDS:
        lines += [f"/// Options of a {noun.lower()}.", f"pub mod {noun.lower()} {{"]
        for option in described.options(lib, kind):
            key = option["key"]
            default = f" Default: `{option['default']}`." if option.get("default") not in ("", None) else ""
            marks = "".join(f" ({m})" for m in ("live", "secret") if option.get(m))
            text = re.sub(r"([\[\]<>])", r"\\\1", option["doc"])
            text = re.sub(r"https?://[\w.]+", r"`\g<0>`", text)
            lines += [f"    /// {text}{default}{marks}",
                      f"    pub const {key.upper().replace('.', '_')}: &str = \"{key}\";"]
        lines += ["}", ""]
    return "\n".join(lines[:-1]) + "\n"


def main():
    lib = described.load(sys.argv[1])
    stale = described.settle({HERE / "meshwork-sys/src/declarations.rs": declarations(), HERE / "meshwork/src/tables.rs": tables(lib),
                              HERE / "meshwork/src/keys.rs": keys(lib)}, "--write" in sys.argv)
    for name in stale:
        print(f"{name} is stale: bindings/rust/tables.py LIBRARY --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
