#!/usr/bin/env python3
"""Makes src/meshwork/_tables.py from what the library tells about itself.

usage: tables.py LIBRARY [--write]
Without --write it compares: a stale table fails."""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "tests/abi"))
import described  # noqa: E402

TARGET = HERE / "src/meshwork/_tables.py"
KINDS = ((1, "Context"), (2, "Provider"), (3, "Consumer"), (4, "Subscription"), (5, "Service"), (6, "Call"), (7, "Hub"), (8, "Channel"), (9, "Share"), (10, "Election"), (11, "Node"), (12, "Manager"))
# What a value may be, by the type the library names.
TYPES = {
    "text": "str", "word": "str", "boolean": "bool", "integer": "int", "duration": "Union[str, int]",
    "size": "Union[str, int]", "list": "Union[str, Sequence[str]]", "json": "Mapping[str, Any]",
}


def table(lib):
    lines = [
        '"""Made by tables.py from the library. Do not edit."""', "",
        "from enum import IntEnum", "from typing import Any, Mapping, Sequence, TypedDict, Union", "", "",
        "class Code(IntEnum):", '    """Codes of Error."""', "",
    ]
    for value, name, text, _ in described.statuses(lib):
        lines += [f"    {name[3:]} = {value}  # {text}"]
    for kind, name in KINDS:
        lines += ["", "", f"{name}Options = TypedDict(", f'    "{name}Options",', "    {"]
        for o in described.options(lib, kind):
            lines += [f"        # {o['doc']}", f"        \"{o['key']}\": {TYPES[o['type']]},"]
        lines += ["    },", "    total=False,", ")"]
    return "\n".join(lines) + "\n"


def main():
    stale = described.settle({TARGET: table(described.load(sys.argv[1]))}, "--write" in sys.argv)
    for name in stale:
        print(f"{name} is stale: bindings/python/tables.py LIBRARY --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
