#!/usr/bin/env python3
"""What holds of every binding: at most 1,500 lines of code of its own, 300 more
since there are calls, 300 more since there are channels, hubs and shares, and 100 more for nodes, managers and queues; an
agent whose files have less than 300 lines, and one boundary that alone names symbols of C.

usage: rules.py      prints a line a binding; the last line is "N passed, N failed, N skipped" """
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# own: without entry points, generated tables and tests; boundary: the files that may name C.
BINDINGS = {
    'node': {'own': ['src/addon.cpp', 'lib/*.js'], 'but': ['lib/tables.js'], 'boundary': ['src/addon.cpp'],
             'reads': ['lib/*.js', '*.js', '*.mjs'], 'agent': 'agent/*.js', 'comment': r'//|/\*|\*'},
    'go': {'own': ['*.go'], 'but': ['tables.go', '*_test.go'], 'boundary': ['boundary.go', 'boundary_fast.go'],
           'reads': ['*.go'], 'agent': 'agent/*.go', 'comment': '//', 'also': r'|\bC\.\w+'},
    'rust': {'own': ['meshwork/src/*.rs', 'meshwork-sys/build.rs'],
             'but': ['meshwork/src/tables.rs', 'meshwork/src/keys.rs', 'meshwork/src/lib.rs'],
             'boundary': ['meshwork/src/ffi.rs'],
             'reads': ['meshwork/src/*.rs'], 'agent': 'agent/src/*.rs', 'comment': '//',
             'also': r'|\bsys::|\bunsafe\s*(\{|fn|impl|extern)'},
    'python': {'own': ['src/meshwork/*.py'], 'but': ['src/meshwork/_tables.py', 'src/meshwork/__init__.py'],
               'boundary': ['src/meshwork/_boundary.py'],
               'reads': ['src/meshwork/*.py'], 'agent': 'agent/*.py', 'comment': '#'},
}


def files(folder, patterns):
    return {path for pattern in patterns for path in folder.glob(pattern)}


def code(path, comment):
    """Lines that are neither empty nor only a comment."""
    return [line for line in path.read_text().splitlines() if line.strip() and not re.match(rf'\s*({comment})', line)]


def faults(folder, rule):
    own = files(folder, rule['own']) - files(folder, rule['but'])
    lines = sum(len(code(path, rule['comment'])) for path in own)
    agent = [len(path.read_text().splitlines()) for path in files(folder, [rule['agent']])]
    print(f'{folder.name}: {lines} lines of code in {len(own)} files, an agent of {sum(agent)} lines')
    if not own or lines > 1500 + 300 + 300 + 100:
        yield f'{lines} lines of code'
    if not agent or max(agent) >= 300:
        yield f'a file of the agent with {max(agent, default=0)} lines'
    outside = files(folder, rule['reads']) - files(folder, rule['boundary'] + rule['but'])
    if not outside or not files(folder, rule['boundary']):
        yield 'its files are not where this test looks'
    for path in sorted(outside):
        for line in code(path, rule['comment']):
            if found := re.search(r'\bmw_[a-z]\w*' + rule.get('also', ''), line):
                yield f'{path.relative_to(folder)} names {found[0]}'


def main():
    passed = failed = 0
    for name, rule in BINDINGS.items():
        wrong = list(faults(ROOT / 'bindings' / name, rule))
        for fault in wrong:
            print(f'FAILED  {name}: {fault}')
        passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed else 0


sys.exit(main())
