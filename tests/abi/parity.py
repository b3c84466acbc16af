#!/usr/bin/env python3
"""docs/PARITY.md: every function of the headers, and where each binding uses it.

usage: parity.py [LANGUAGE ...] [--write]
What a binding does without stands in its file `unexposed`, a line "NAME: reason". A function that is neither used nor
listed fails, a line that is not true fails, and without --write so does a stale table. Given languages, only their
lists are checked."""
import re
import sys
from pathlib import Path

import capi
import described

ROOT = Path(__file__).resolve().parents[2]
NOTE = "<!-- Made by tests/abi/parity.py (make docs). Do not edit. -->\n"
# Files that use the library, the list of what they do without, and how the use of a function looks.
BINDINGS = {
    "c++": ("include/meshwork/meshwork.hpp", "tests/abi/unexposed", r"\b{0}\b"),
    "node": ("bindings/node/src/addon.cpp", "bindings/node/unexposed", r"\b{0}\b"),
    "go": ("bindings/go/boundary*.go", "bindings/go/unexposed", r"\b{0}\b"),
    "rust": ("bindings/rust/meshwork/src/ffi.rs", "bindings/rust/unexposed", r"\b{0}\b"),
    "python": ("bindings/python/src/meshwork/_*.py", "bindings/python/unexposed", r"\b(?:c|_boundary)\.{1}\b|import {1}\b"),
}


def reasons(path):
    lines = (ROOT / path).read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def binding(name, functions):
    """{function: reason or None}, and what is wrong with the list."""
    files, listed, use = BINDINGS[name]
    text = "".join(p.read_text() for p in sorted(ROOT.glob(files)))
    listed = reasons(listed)
    used = {f for f in functions if re.search(use.format(f, f.removeprefix("mw_")), text)}
    wrong = [f"{name}: {f} is neither used nor in its list" for f in functions if f not in used | set(listed)]
    wrong += [f"{name}: {f} is used and in the list" for f in listed if f in used]
    wrong += [f"{name}: {f} is in the list and no function" for f in listed if f not in functions]
    return {f: listed.get(f) for f in functions}, wrong


def table(functions, columns):
    notes = {}
    lines = [NOTE, "# Every function in every language\n",
             "C has them all. A number leads to the reason why a binding does without.\n",
             "| function | " + " | ".join(columns) + " |", "|---" + "|---" * len(columns) + "|"]
    for f in functions:
        cells = [str(notes.setdefault(c[f], len(notes) + 1)) if c[f] else "yes" for c in columns.values()]
        lines.append(f"| `{f}` | " + " | ".join(cells) + " |")
    return "\n".join(lines + [""] + [f"{n}. {reason}" for reason, n in notes.items()]) + "\n"


def main(words):
    functions = [f.name for f in capi.functions()]
    languages = [w for w in words if w != "--write"] or list(BINDINGS)
    columns, wrong = {}, []
    for name in languages:
        columns[name], faults = binding(name, functions)
        wrong += faults
    if len(languages) == len(BINDINGS):
        doc = {ROOT / "docs/PARITY.md": table(functions, columns)}
        wrong += [f"docs/{name} is stale: run make docs" for name in described.settle(doc, "--write" in words)]
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
