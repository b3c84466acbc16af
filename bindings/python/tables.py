#!/usr/bin/env python3
"""Makes src/meshwork/_tables.py from what the library tells about itself.

usage: tables.py LIBRARY [--write]
Without --write it compares: a stale table fails."""
import ctypes
import json
import pathlib
import sys

TARGET = pathlib.Path(__file__).resolve().parent / "src/meshwork/_tables.py"
KINDS = ((1, "Context"), (2, "Provider"), (3, "Consumer"), (4, "Subscription"))
# What a value may be, by the type the library names.
TYPES = {
    "text": "str", "word": "str", "boolean": "bool", "integer": "int", "duration": "Union[str, int]",
    "size": "Union[str, int]", "list": "Union[str, Sequence[str]]", "json": "Mapping[str, Any]",
}


def codes(lib):
    for value in range(3, -100, -1):
        name = lib.mw_status_name(value).decode()
        if name != "MW_EUNKNOWN":
            yield value, name[3:], lib.mw_status_text(value).decode()


def options(lib, kind):
    index = 0
    while True:
        message, size = ctypes.c_void_p(), ctypes.c_size_t()
        if lib.mw_conf_describe(kind, index, ctypes.byref(message)) != 0:
            return
        yield json.loads(ctypes.string_at(lib.mw_msg_body(message, ctypes.byref(size)), size.value))
        lib.mw_msg_unref(message)
        index += 1


def table(lib):
    lines = [
        '"""Made by tables.py from the library. Do not edit."""', "",
        "from enum import IntEnum", "from typing import Any, Mapping, Sequence, TypedDict, Union", "", "",
        "class Code(IntEnum):", '    """Codes of Error."""', "",
    ]
    for value, name, text in codes(lib):
        lines += [f"    {name} = {value}  # {text}"]
    for kind, name in KINDS:
        lines += ["", "", f"{name}Options = TypedDict(", f'    "{name}Options",', "    {"]
        for o in options(lib, kind):
            lines += [f"        # {o['doc']}", f"        \"{o['key']}\": {TYPES[o['type']]},"]
        lines += ["    },", "    total=False,", ")"]
    return "\n".join(lines) + "\n"


def main():
    lib = ctypes.CDLL(sys.argv[1])
    lib.mw_status_name.restype = lib.mw_status_text.restype = ctypes.c_char_p
    lib.mw_conf_describe.argtypes = [ctypes.c_int32, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p)]
    lib.mw_msg_body.restype, lib.mw_msg_body.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)]
    lib.mw_msg_unref.argtypes = [ctypes.c_void_p]
    text = table(lib)
    if "--write" in sys.argv:
        TARGET.write_text(text)
    elif not TARGET.exists() or TARGET.read_text() != text:
        print(f"{TARGET.name} is stale: bindings/python/tables.py LIBRARY --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
