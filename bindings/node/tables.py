#!/usr/bin/env python3
"""lib/tables.js and options.d.ts, from what the library tells about itself.

usage: tables.py LIBMESHWORK [--write]
Without --write it compares: a stale table fails."""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tests/abi"))
import described  # noqa: E402

HEADERS = HERE.parent.parent / "include" / "meshwork"
NOTE = "// Made by bindings/node/tables.py from the library. Do not edit.\n"
KINDS = (("Context", 1), ("Provider", 2), ("Consumer", 3), ("Subscription", 4), ("Service", 5), ("Call", 6),
         ("Hub", 7), ("Channel", 8), ("Share", 9), ("Election", 10), ("Node", 11), ("Manager", 12))
TYPES = {"boolean": "boolean | string", "integer": "number | string", "duration": "number | string",
         "size": "number | string", "text": "string", "json": "Record<string, string | number | boolean | object> | string"}


def enum(prefix, header="base.h"):
    """Names and values of the enumerators that begin so."""
    text = (HEADERS / header).read_text()
    return {n: int(v, 0) for n, v in re.findall(rf"\b{prefix}([A-Z_]+) = (-?\w+)", text)}


def table(name, values):
    rows = "".join(f"  {k}: {json.dumps(v)},\n" for k, v in values.items())
    return f"exports.{name} = {{\n{rows}}}\n"


def javascript(lib):
    statuses = sorted(described.statuses(lib))
    out = [NOTE + "'use strict'\n", "// Status codes, as mw_status.\n" + table("status", {name: code for code, name, _, _ in statuses}),
           "// By code: name, sentence, whether trying again later may succeed.\n" +
           "exports.errors = new Map([\n" + "".join(
               f"  [{code}, {json.dumps([name, text, bool(flags & 1)])}],\n"
               for code, name, text, flags in statuses) + "])\n",
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
        rows = list(described.options(lib, kind))
        groups = sorted({r["key"].split(".")[0] for r in rows if "." in r["key"]})
        keys = {r["key"]: r for r in rows}
        body = "".join(map(key_of, rows))
        body += "".join(f"  {g}?: {{ [key: string]: unknown }}\n" for g in groups if g not in keys)
        out.append(f"export interface {name}Options {{\n{body}}}\n")
    return "\n".join(out)


def main():
    lib = described.load(sys.argv[1])
    stale = described.settle({HERE / "lib" / "tables.js": javascript(lib), HERE / "options.d.ts": typescript(lib)},
                             "--write" in sys.argv)
    if stale:
        print("stale, run bindings/node/tables.py LIBMESHWORK --write: " + ", ".join(stale))
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
