#!/usr/bin/env python3
"""Each language as provider with each other one as consumer: the scenarios in which two agents meet.

usage: pairs.py PREFIX BUILD      after the checks of the bindings, which left their agents in BUILD/LANGUAGE
The last line is "N passed, N failed, N skipped"."""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / 'tests/scenario'
CORE = [str(SCENARIOS / f'{name}.scn') for name in ('messages', 'topics', 'admission', 'close', 'reconnect', 'drain')]

SKIPS = {'node': 'agent/skips.txt', 'go': 'agent/skips.turn', 'rust': 'agent/skips', 'python': 'agent/skips'}


def agents(prefix, build):
    """{language: a script that runs its agent}; what a check could not build is absent."""
    library = next(prefix.glob('lib/**/libmeshwork.so.1'))
    linked = f'LD_LIBRARY_PATH={library.parent}'
    commands = {
        'node': ('', f'node {build}/node/site/agent/agent.js', 'turn', build / 'node/site/agent/agent.js'),
        'go': (linked, f'{build}/go/bin/agent', 'turn', build / 'go/bin/agent'),
        'rust': (linked, f'{build}/rust/target/debug/meshwork-agent', 'run', build / 'rust/target/debug/meshwork-agent'),
        'python': (f'PYTHONPATH={build}/python/site MESHWORK_LIBRARY={library} PYTHONDONTWRITEBYTECODE=1',
                   f'{sys.executable} {ROOT}/bindings/python/agent/agent.py', 'turn', build / 'python/site/meshwork'),
    }
    scripts = {}
    (build / 'pairs').mkdir(exist_ok=True)
    for language, (environment, command, door, proof) in commands.items():
        if proof.exists():  # each has the door it is best at, whatever the table calls it
            scripts[language] = build / 'pairs' / language
            scripts[language].write_text(f'#!/bin/sh\nexec env {environment} {command} {door}\n')
            scripts[language].chmod(0o755)
    return scripts


def main():
    prefix, build = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    there, total = agents(prefix, build), [0, 0, 0]
    for language in {'node', 'go', 'rust', 'python'} - set(there):
        print(f'SKIPPED {language}: its check built no agent')
        total[2] += 1
    for one in there:
        for other in there:
            if one == other:
                continue
            # What either cannot say; which of them is meant, its own check knows.
            unsaid = build / 'pairs/unsaid'
            unsaid.write_text(''.join((ROOT / 'bindings' / each / SKIPS[each]).read_text() for each in (one, other)))
            done = subprocess.run([sys.executable, '-B', SCENARIOS / 'run.py', '--patience', '20', '--door', 'turn', '--leave-out', unsaid,
                                   '--agent', there[one], '--other', there[other], *CORE],
                                  stdout=subprocess.PIPE, text=True, timeout=600, check=False)
            counts = re.search(r'(\d+) passed, (\d+) failed, (\d+) skipped\s*$', done.stdout)
            if counts is None or done.returncode or counts[1] == '0':
                print(f'{one} with {other}:\n{done.stdout[-6000:]}', flush=True)
            counts = [int(n) for n in counts.groups()] if counts else [0, 1, 0]
            print(f'{one} with {other}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped', flush=True)
            total = [a + b for a, b in zip(total, counts)]
    print('{} passed, {} failed, {} skipped'.format(*total))
    return 1 if total[1] or not total[0] else 0


sys.exit(main())
