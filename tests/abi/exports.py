#!/usr/bin/env python3
"""Headers = version script = what the shared library exports. usage: exports.py LIBRARY"""
import subprocess
import sys

import capi


def nm(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, text=True, capture_output=True)
    # The version nodes themselves are absolute symbols.
    rows = [line.split() for line in out.stdout.splitlines()]
    return sorted(name.split("@")[0] for _, kind, name in rows if kind != "A")


def main():
    sets = {
        "the headers": [f.name for f in capi.functions()],
        "meshwork.map": capi.exported_by_map(),
        "nm -D": nm(sys.argv[1]),
    }
    problems = []
    for where, names in sets.items():
        problems += [f"{n}: twice in {where}" for n in set(names) if names.count(n) > 1]
        problems += [f"{n}: not an mw_ name, in {where}" for n in names if not n.startswith("mw_")]
        for other, theirs in sets.items():
            problems += [f"{n}: in {where}, not in {other}" for n in names if n not in theirs]
    dynamic = subprocess.run(["readelf", "-dW", sys.argv[1]], check=True, text=True, capture_output=True).stdout
    for wanted in ("Library soname: [libmeshwork.so.1]", "NODELETE", "NOW"):
        if wanted not in dynamic:
            problems.append(f"the dynamic section lacks {wanted}")
    for text in sorted(problems):
        print(text)
    print(f"{len(sets['the headers'])} functions")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
