#!/usr/bin/env python3
"""lib/tables.js and options.d.ts, from what the library tells about itself.

usage: tables.py LIBMESHWORK [--write]
Without --write it compares: a stale table fails."""
import ctypes
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
HEADERS = HERE.parent.parent / "include" / "meshwork"
NOTE = "// Made by bindings/node/tables.py from the library. Do not edit.\n"
KINDS = (("Context", 1), ("Provider", 2), ("Consumer", 3), ("Subscription", 4))
TYPES = {"boolean": "boolean | string", "integer": "number | string", "duration": "number | string",
         "size": "number | string", "text": "string", "json": "Record<string, string | number | boolean> | string"}


def enum(prefix, header="base.h"):
    """Names and values of the enumerators that begin so."""
    text = (HEADERS / header).read_text()
    return {n: int(v, 0) for n, v in re.findall(rf"\b{prefix}([A-Z_]+) = (-?\w+)", text)}


def load(path):
    lib = ctypes.CDLL(path)
    lib.mw_status_name.restype = lib.mw_status_text.restype = ctypes.c_char_p
    lib.mw_status_flags.restype = ctypes.c_uint32
    lib.mw_conf_describe.argtypes = [ctypes.c_int32, ctypes.c_size_t, ctypes.POINTER(ctypes.c_void_p)]
    lib.mw_msg_body.restype = ctypes.c_void_p
    lib.mw_msg_body.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_size_t)]
    lib.mw_msg_unref.argtypes = [ctypes.c_void_p]
    return lib


def describe(lib, kind):
    for index in range(10000):
        message, size = ctypes.c_void_p(), ctypes.c_size_t()
        if lib.mw_conf_describe(kind, index, ctypes.byref(message)) != 0:
            return
        yield json.loads(ctypes.string_at(lib.mw_msg_body(message, ctypes.byref(size)), size.value))
        lib.mw_msg_unref(message)


def table(name, values):
    rows = "".join(f"  {k}: {json.dumps(v)},\n" for k, v in values.items())
    return f"exports.{name} = {{\n{rows}}}\n"


def javascript(lib):
    codes = {n: v for v in range(-100, 4) if (n := lib.mw_status_name(v).decode()) != "MW_EUNKNOWN"}
    out = [NOTE + "'use strict'\n", "// Status codes, as mw_status.\n" + table("status", codes),
           "// By code: name, sentence, whether trying again later may succeed.\n" +
           "exports.errors = new Map([\n" + "".join(
               f"  [{v}, {json.dumps([n, lib.mw_status_text(v).decode(), bool(lib.mw_status_flags(v) & 1)])}],\n"
               for n, v in codes.items()) + "])\n",
           "// Kinds of events.\n" + table("kind", enum("MW_EVENT_")),
           "// Flags of messages and events.\n" + table("flag", enum("MW_F_")),
           "// Numbers of stat().\n" + table("stat", enum("MW_STAT_", "handle.h")),
           "// States of a handle.\n" + table("state", enum("MW_STATE_", "handle.h"))]
    return "\n".join(out)


def key_of(option):
    kind = "string[] | string" if option["type"] == "list" else TYPES.get(option["type"], "string")
    if option["type"] == "word":
        kind = " | ".join(f"'{w}'" for w in option["values"])
    default = f" Default: `{option['default']}`." if option["default"] else ""
    live = " May change by update()." if option["live"] else ""
    return f"  /** {option['doc'].replace('*/', '* /')}{default}{live} */\n  '{option['key']}'?: {kind}\n"


def typescript(lib):
    out = [NOTE + "// Durations are milliseconds or texts such as '30s', sizes bytes or texts such as '1MiB'.\n"
           "// Options may be nested too: { heartbeat: { interval: '30s' } }.\n"]
    for name, kind in KINDS:
        rows = list(describe(lib, kind))
        groups = sorted({r["key"].split(".")[0] for r in rows if "." in r["key"]})
        keys = {r["key"]: r for r in rows}
        body = "".join(map(key_of, rows))
        body += "".join(f"  {g}?: {{ [key: string]: unknown }}\n" for g in groups if g not in keys)
        out.append(f"export interface {name}Options {{\n{body}}}\n")
    return "\n".join(out)


def main():
    lib = load(sys.argv[1])
    stale = []
    for path, text in ((HERE / "lib" / "tables.js", javascript(lib)), (HERE / "options.d.ts", typescript(lib))):
        if "--write" in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        print("stale, run bindings/node/tables.py LIBMESHWORK --write: " + ", ".join(stale))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
