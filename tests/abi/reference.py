#!/usr/bin/env python3
"""The tables of docs/: FUNCTIONS.md from the headers' comments, ERRORS.md and
OPTIONS.md from what the library tells about itself.

usage: reference.py LIBRARY [--write]
Without --write it compares: a stale table or a comment without one of its tags fails."""
import ctypes
import json
import sys

import capi

NOTE = "<!-- Made by tests/abi/reference.py (make docs). Do not edit. -->\n"
KINDS = ((1, "context", "MW_CONF_CTX"), (2, "provider", "MW_CONF_PROVIDER"),
         (3, "consumer", "MW_CONF_CONSUMER"), (4, "subscription", "MW_CONF_SUB"))
AREAS = {
    "base.h": "Versions and status codes", "conf.h": "Options", "msg.h": "Messages",
    "ctx.h": "The context and its doors", "handle.h": "Verbs for every handle",
    "link.h": "Providers, consumers, sending",
}


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ")


def functions():
    lines = [NOTE, "# Functions\n",
             "Every function of `<meshwork/meshwork.h>`. *Completes* names the events that follow.\n"]
    for header, title in AREAS.items():
        lines += [f"## {title} (`<meshwork/{header}>`)\n",
                  "| function | thread | blocks | allocates | completes | errors | since |",
                  "|---|---|---|---|---|---|---|"]
        here = [f for f in capi.functions() if f.header == header]
        for f in here:
            row = [f"[`{f.name}`](#{f.name})"] + [
                f.tags.get(t, "") for t in ("Thread", "Blocks", "Allocates", "Completes", "Errors", "Since")]
            lines.append("| " + " | ".join(map(cell, row)) + " |")
        lines.append("")
        for f in here:
            lines += [f"### {f.name}\n", f"```c\n{f.declaration};\n```\n", f.text + "\n",
                      f"Owns: {f.tags.get('Owns', '')}.\n"]
    return "\n".join(lines)


def missing_tags():
    for f in capi.functions():
        if not f.text:
            yield f"{f.header}: {f.name} has no sentence that says what it does"
        lacking = [t for t in capi.TAGS if not f.tags.get(t)]
        if lacking:
            yield f"{f.header}: the comment of {f.name} lacks {', '.join(lacking)}"
        elif list(f.tags) != list(capi.TAGS):
            yield f"{f.header}: the tags of {f.name} are not in the order {', '.join(capi.TAGS)}"
        if f.header not in AREAS:
            yield f"{f.header} is no area of reference.py"


def load(path):
    lib = ctypes.CDLL(path)
    lib.mw_status_name.restype = lib.mw_status_text.restype = ctypes.c_char_p
    lib.mw_status_flags.restype = ctypes.c_uint32
    lib.mw_conf_describe.argtypes = [ctypes.c_int32, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p)]
    lib.mw_msg_body.restype = ctypes.c_void_p
    lib.mw_msg_body.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)]
    lib.mw_msg_unref.argtypes = [ctypes.c_void_p]
    return lib


def errors(lib):
    lines = [NOTE, "# Status codes\n",
             "Negative: refused or failed. Zero: done. Positive: done, with a remark. "
             "*Retry*: trying again later may succeed; *fatal*: it cannot; *system*: "
             "`mw_error.os` holds the `errno`.\n",
             "| value | name | flags | meaning |", "|---|---|---|---|"]
    values = dict(capi.values())
    codes = [n for n in capi.enumerators() if values[n] < 0 or n in ("MW_OK", "MW_BUFFERED", "MW_STORED", "MW_MORE")]
    for name in codes:
        value = values[name]
        told = lib.mw_status_name(value).decode()
        if told != name:
            raise SystemExit(f"{name} = {value} is called {told} by the library")
        bits = lib.mw_status_flags(value)
        flags = " ".join(w for b, w in ((1, "retry"), (2, "fatal"), (4, "system")) if bits & b)
        lines.append(f"| {value} | `{name}` | {flags} | {cell(lib.mw_status_text(value).decode())} |")
    return "\n".join(lines) + "\n"


def describe(lib, kind):
    index = 0
    while True:
        message = ctypes.c_void_p()
        if lib.mw_conf_describe(kind, index, ctypes.byref(message)) != 0:
            return
        size = ctypes.c_size_t()
        body = lib.mw_msg_body(message, ctypes.byref(size))
        yield json.loads(ctypes.string_at(body, size.value))
        lib.mw_msg_unref(message)
        index += 1


def options(lib):
    lines = [NOTE, "# Options\n",
             "Keys of `mw_conf_set`. Values are text: `true`, `30s` (a bare number is milliseconds), "
             "`1MiB`, `a,b` for lists. *live*: `mw_update` may change it while the object runs; "
             "*secret*: it reads back as `***`.\n"]
    for kind, title, name in KINDS:
        lines += [f"## {title} (`{name}`)\n", "| key | type | default | allowed | marks | meaning |",
                  "|---|---|---|---|---|---|"]
        for option in describe(lib, kind):
            allowed = option.get("range") or option.get("values") or ""
            if isinstance(allowed, list):
                allowed = ", ".join(map(str, allowed))
            marks = " ".join(m for m in ("live", "secret") if option.get(m))
            default = option.get("default", "")
            default = f"`{default}`" if default not in ("", None) else ""
            row = (f"`{option['key']}`", option["type"], default, allowed, marks, option.get("doc", ""))
            lines.append("| " + " | ".join(map(cell, row)) + " |")
        lines.append("")
    return "\n".join(lines)


def main():
    write = "--write" in sys.argv
    lib = load(sys.argv[1])
    problems = list(missing_tags())
    for name, text in (("FUNCTIONS.md", functions()), ("ERRORS.md", errors(lib)), ("OPTIONS.md", options(lib))):
        path = capi.ROOT / "docs" / name
        if write:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            problems.append(f"docs/{name} is stale: make docs")
    print("\n".join(problems))
    print(f"{len(capi.functions())} functions")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
