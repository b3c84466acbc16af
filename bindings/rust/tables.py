#!/usr/bin/env python3
"""Makes meshwork/src/codes.rs and options.rs' list from what the library says about itself.

usage: tables.py PATH_TO_LIBMESHWORK [--write]
Without --write it compares: a stale table fails."""
import ctypes
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = HERE / "../../include/meshwork/base.h"
NOTE = "// Made by bindings/rust/tables.py from the library. Do not edit.\n"
KINDS = ((1, "Context"), (2, "Provider"), (3, "Consumer"), (4, "Subscription"))


def load(path):
    lib = ctypes.CDLL(path)
    lib.mw_status_name.restype = lib.mw_status_text.restype = ctypes.c_char_p
    lib.mw_conf_describe.argtypes = [ctypes.c_int32, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p)]
    lib.mw_msg_body.restype = ctypes.c_void_p
    lib.mw_msg_body.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)]
    lib.mw_msg_unref.argtypes = [ctypes.c_void_p]
    return lib


def codes(lib):
    lines = [NOTE, "use crate::Code;\n", "impl Code {"]
    for name, value in re.findall(r"^  (MW_(?:E[A-Z]+|OK|BUFFERED|STORED|MORE)) = (-?\d+)", HEADER.read_text(), re.M):
        if lib.mw_status_name(int(value)).decode() != name:
            raise SystemExit(f"{name} = {value} has another name in the library")
        text = lib.mw_status_text(int(value)).decode()
        lines += [f"    /// {text[0].upper()}{text[1:]}", f"    pub const {name[3:]}: Code = Code({value});"]
    return "\n".join(lines) + "\n}\n"


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


def keys(lib):
    lines = [NOTE[:-1], "//! Every option key as a constant, so that a misspelt one does not compile: `keys::provider::PORT`.", ""]
    for kind, noun in KINDS:
        lines += [f"/// Options of a {noun.lower()}.", f"pub mod {noun.lower()} {{"]
        for option in describe(lib, kind):
            key = option["key"]
            default = f" Default: `{option['default']}`." if option.get("default") not in ("", None) else ""
            marks = "".join(f" ({m})" for m in ("live", "secret") if option.get(m))
            text = re.sub(r"([\[\]<>])", r"\\\1", option["doc"])
            lines += [f"    /// {text}{default}{marks}",
                      f"    pub const {key.upper().replace('.', '_')}: &str = \"{key}\";"]
        lines += ["}", ""]
    return "\n".join(lines[:-1]) + "\n"


def main():
    lib = load(sys.argv[1])
    stale = []
    for name, text in (("codes.rs", codes(lib)), ("keys.rs", keys(lib))):
        path = HERE / "meshwork/src" / name
        if "--write" in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(f"meshwork/src/{name} is stale: bindings/rust/tables.py LIBRARY --write")
    print("\n".join(stale) or "tables are fresh")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
