#!/usr/bin/env python3
"""Each language as provider with each other one as consumer: the scenarios in which two agents meet; then all in one
mesh, each in every place.

usage: pairs.py PREFIX BUILD AGENTS   after the checks of the bindings, which left their agents in BUILD/LANGUAGE;
AGENTS: folder of those in C and C++. Two pairs play at a time. The last line is "N passed, N failed, N skipped"."""
import concurrent.futures
import itertools
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / 'tests/scenario'
CORE = ('messages', 'topics', 'admission', 'close', 'reconnect', 'drain', 'compress', 'own_wire', 'tls', 'calls', 'channels', 'shares', 'groups',
        'elections', 'mesh', 'queues', 'manager')

SKIPS = {'c': (), 'c++': (SCENARIOS / 'agent_cpp/skips',),
         'node': (ROOT / 'bindings/node/agent/skips.txt', ROOT / 'bindings/node/agent/untried.txt'),
         'go': (ROOT / 'bindings/go/agent/skips.turn',), 'rust': (ROOT / 'bindings/rust/agent/skips',),
         'python': (ROOT / 'bindings/python/agent/skips',)}


def agents(prefix, build, native):
    """{language: a script that runs its agent}; what a check could not build is absent."""
    library = next(prefix.glob('lib/**/libmeshwork.so.1'))
    linked = f'LD_LIBRARY_PATH={library.parent}'
    commands = {
        'c': ('', f'{native}/scenario_agent', 'turn', native / 'scenario_agent'),
        'c++': ('', f'{native}/scenario_agent_cpp', 'turn', native / 'scenario_agent_cpp'),
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


def without(language):
    """Files of what a language has not yet: its check says so."""
    check = ROOT / 'bindings' / language / 'check'
    return re.findall(r'--without (\w+)\.scn', check.read_text()) if check.exists() else []


def run(name, *arguments):
    """[passed, failed, skipped] of run.py and what is to be shown."""
    done = subprocess.run([sys.executable, '-B', SCENARIOS / 'run.py', '--patience', '20', '--door', 'turn', *arguments],
                          stdout=subprocess.PIPE, text=True, timeout=600, check=False)
    counts = re.search(r'(\d+) passed, (\d+) failed, (\d+) skipped\s*$', done.stdout)
    bad = counts is None or done.returncode or counts[1] == '0'
    counts = [int(n) for n in counts.groups()] if counts else [0, 1, 0]
    shown = '{}: {} passed, {} failed, {} skipped'.format(name, *counts)
    return counts, f'{name}:\n{done.stdout[-6000:]}\n{shown}' if bad else shown


def play(there, build, one, other):
    """A pair."""
    # What either cannot say; which of them is meant, its own check knows.
    unsaid = build / f'pairs/unsaid.{one}.{other}'
    unsaid.write_text(''.join(file.read_text() for each in (one, other) for file in SKIPS[each]))
    files = [SCENARIOS / f'{name}.scn' for name in CORE if name not in without(one) + without(other)]
    return run(f'{one} with {other}', '--leave-out', unsaid, '--agent', there[one], '--other', there[other], *files)


def meet(there, first):
    """All in one mesh; the first one plays a, the next b, and so on."""
    programs = [there[language] for language in [*there, *there]][first:first + len(there)]
    further = [word for program in programs[2:] for word in ('--further', program)]
    return run(f'all, {list(there)[first]} first', '--agent', programs[0], '--other', programs[1], *further, SCENARIOS / 'six.scn')


def main():
    prefix, build, native = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
    there, total = agents(prefix, build, native), [0, 0, 0]
    for language in set(SKIPS) - set(there):
        print(f'SKIPPED {language}: its check built no agent')
        total[2] += 1
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pairs = pool.map(lambda pair: play(there, build, *pair), itertools.permutations(there, 2))
        all_of_them = pool.map(lambda first: meet(there, first), range(len(there) if len(there) > 1 else 0))
        for counts, shown in itertools.chain(pairs, all_of_them):
            print(shown, flush=True)
            total = [a + b for a, b in zip(total, counts)]
    print('{} passed, {} failed, {} skipped'.format(*total))
    return 1 if total[1] or not total[0] else 0


sys.exit(main())
