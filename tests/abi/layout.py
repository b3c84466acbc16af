#!/usr/bin/env python3
"""Sizes, offsets and values of the C border against layout.txt, which every
binding compares with as well. usage: layout.py [--write]

Lines may be added to layout.txt; one that changes or goes breaks every
program built before."""
import sys

import capi

FILE = capi.ROOT / "tests/abi/layout.txt"


def dump():
    body = []
    for name, fields in capi.structs().items():
        body.append(f'printf("struct {name} size %zu\\n", sizeof({name}));')
        for field in fields:
            body.append(f'printf("field {name}.{field} offset %zu size %zu\\n", '
                        f"offsetof({name}, {field}), sizeof((({name} *)0)->{field}));")
    values = "".join(f"value {name} {value}\n" for name, value in capi.values())
    return capi.run_c("\n".join(body)) + values


def main():
    now = dump()
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(now)
        return 0
    old, new = FILE.read_text().splitlines(), now.splitlines()
    problems = [f"gone or changed: {line}" for line in old if line not in new]
    problems += [f"new: {line}" for line in new if line not in old]
    print("\n".join(problems))
    if problems:
        print("If that is meant: python3 tests/abi/layout.py --write")
    print(f"{len(new)} lines")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
