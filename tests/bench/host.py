#!/usr/bin/env python3
"""make bench-host: what the processes of one host say to each other, through a channel and through the leader of a
share, against ZeroMQ, Redis, netcluster's wire and cluster-client. Builds nothing: the programs are there already.

Ratios are taken within one run, from interleaved pairs, and shown as median and quartiles. What sends has the first
core, who hears it the second; a server between them shares the first one. Ctrl-C ends early and shows what there is."""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from statistics import median

import process
from process import LOAD_CORE, SERVER_CORE, Failed, Process
from report import Report
from run import look_around, machine, measure

# over whom -> at least so many times its rate
EVENTS = {'zmq': ('ZeroMQ', 1), 'redis': ('Redis', 3), 'netcluster': ('netcluster', 20)}
CALLS = {1: 3, 64: 10}
CROWDS = (1, 10, 50)


class Bench:
    def __init__(self, args, title, packages):
        self.programs, self.out = pathlib.Path(args.programs).resolve(), pathlib.Path(args.out).resolve()
        self.pairs = args.pairs or (3 if args.quick else 9)
        self.seconds = 0.5 if args.quick else 1
        self.out.mkdir(parents=True, exist_ok=True)
        self.report = Report({'date': time.strftime('%Y-%m-%d %H:%M'), 'machine': machine(),
                              'pairs': f'{self.pairs} of {self.seconds:g} s'}, title)
        self.progress = None
        self.packages = packages
        self.modules = self.find_modules(args.modules)
        self.quick = args.quick
        made = [self.programs.parent / folder / 'node/addon/meshwork.node' for folder in ('bindings', 'demo')]
        self.addon = next((file.resolve() for file in made if file.exists()), None)

    def command(self, name, *words):
        """A program of ours, or a script beside this file."""
        built = self.programs / name
        script = pathlib.Path(__file__).with_name(name + '.js')
        node = ['env', f'MESHWORK_ADDON={self.addon}', 'node'] if self.addon else ['node']
        return [built, *words] if built.exists() else [*node, script, *words]

    def program(self, name):
        return self.programs / name

    def find_modules(self, given):
        """Where the neighbours of npm are, or None."""
        folder = pathlib.Path(given) if given else self.out / 'modules'
        names = ', '.join(package.split('@')[0] for package in self.packages)
        if shutil.which('npm') is None:
            return self.report.remark(f'SKIPPED: {names}, because npm is missing')
        if not all((folder / 'node_modules' / package.split('@')[0]).is_dir() for package in self.packages):
            done = subprocess.run(['npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix', folder, *self.packages],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return self.report.remark(f'SKIPPED: {names}, because npm could not install them')
        return folder / 'node_modules'


class Events:
    """One sends small JSON as fast as it may, others hear it by a pattern."""

    def __init__(self, bench):
        self.bench = bench
        self.others = [n for n in EVENTS if self.there(n)]

    def there(self, name):
        if name == 'netcluster':
            return shutil.which('node') is not None
        return (self.bench.programs / f'{name}_events').exists() and (name != 'redis' or shutil.which('redis-server') is not None)

    def planned(self):
        cells = self.bench.pairs * (1 + len(self.others)) + 3 * len(CROWDS)
        return cells * (self.bench.seconds + 0.6)

    def run(self):
        for name, (title, _) in EVENTS.items():
            if name not in self.others:
                self.bench.report.remark(f'SKIPPED: {title}, because a package was missing when the bench was built')
        rates, costs = {}, {}
        names = ['mw', *self.others]
        for pair in range(self.bench.pairs):
            for name in names if pair % 2 == 0 else reversed(names):
                self.bench.progress.step(self.bench.seconds + 0.6, f'events, {name}')
                rate, cost = self.once(name, 1)
                rates.setdefault(name, []).append(rate)
                costs.setdefault(name, []).append(cost)
        for name in self.others:
            title, target = EVENTS[name]
            self.bench.report.add('Events between two processes, rate over another', f'over {title}',
                                  [own / theirs for own, theirs in zip(rates['mw'], rates[name])], at_least=target,
                                  note=f'{median(rates["mw"]) / 1e3:.0f} k/s against {median(rates[name]) / 1e3:.0f}; '
                                       f'{median(costs["mw"]):.2f} us of CPU a delivery against {median(costs[name]):.2f}')
        self.crowds()

    def crowds(self):
        costs = {n: [] for n in CROWDS}
        for _ in range(3):
            for n in CROWDS:
                self.bench.progress.step(self.bench.seconds + 0.6, f'events to {n} processes')
                costs[n].append(self.once('mw', n)[1])
        for n in CROWDS[1:]:
            self.bench.report.add('CPU of all processes for a delivery, over that to one process', f'{n} processes',
                                  [many / one for many, one in zip(costs[n], costs[CROWDS[0]])], at_most=1,
                                  note=f'{median(costs[n]):.2f} us against {median(costs[CROWDS[0]]):.2f}')

    def once(self, name, hearers):
        """Deliveries a second, and us of CPU for one, of all processes but a server."""
        bench = self.bench
        with tempfile.TemporaryDirectory(prefix='mwb') as folder:
            server = self.server(name, folder)
            program = f'{name}_events'
            all_cores = set(process.CORES) if hearers > 1 else {LOAD_CORE}
            hear = [Process(bench.command(program, 'hear', folder), LOAD_CORE, stdin=True, cores=all_cores) for _ in range(hearers)]
            for h in hear:
                h.expect('up')
            before = [self.asked(h)['cpu'] for h in hear]
            sent = Process(bench.command(program, 'send', folder, bench.seconds), SERVER_CORE).result()
            heard = [self.all_of(h, sent['sent']) for h in hear]
            for h in hear:
                h.end()
            if server is not None:
                server.end()
            last = max(h['at'] for h in heard)
            cpu = sent['cpu'] + sum(h['cpu'] - b for h, b in zip(heard, before))
            n = sent['sent'] * hearers
            return n / (last - sent['began']), cpu / n * 1e6

    @staticmethod
    def asked(hearer):
        hearer.write('?\n')
        return process.json.loads(hearer.line())

    def all_of(self, hearer, n):
        end = time.monotonic() + 30
        while (got := self.asked(hearer))['heard'] < n:
            if time.monotonic() > end:
                raise Failed(f'{hearer.name} heard {got["heard"]} of {n}')
            time.sleep(0.02)
        return got

    def server(self, name, folder):
        if name == 'netcluster':
            server = Process(self.bench.command('netcluster_events', 'hub', folder), SERVER_CORE)
            server.expect('up')
            return server
        if name != 'redis':
            return None
        server = Process(['redis-server', '--port', '0', '--unixsocket', f'{folder}/redis.sock', '--save', '', '--dir', folder,
                          '--client-output-buffer-limit', 'pubsub 0 0 0'], SERVER_CORE)
        while 'accept connections' not in server.line():
            pass
        return server


class Invoke:
    """Calls to the leader from another process."""

    def __init__(self, bench):
        self.bench = bench
        self.names = ['mw', *(['node'] if bench.addon else []), *(['cc'] if bench.modules else [])]
        if not bench.addon:
            bench.report.remark('SKIPPED: calls from Node, because its addon was not built (make bindings)')

    def planned(self):
        return len(CALLS) * len(self.names) * self.bench.pairs * (1.1 * self.bench.seconds + 0.6)

    def run(self):
        for in_flight, target in CALLS.items():
            rates = {}
            for pair in range(self.bench.pairs):
                for name in self.names if pair % 2 == 0 else reversed(self.names):
                    self.bench.progress.step(1.1 * self.bench.seconds + 0.6, f'invoke x {in_flight}, {name}')
                    rates.setdefault(name, []).append(self.once(name, in_flight))
            for name, title in (('node', 'Node to Node'), ('mw', 'C to C')):
                if 'cc' in rates and name in rates:
                    self.bench.report.add('Calls through the leader, rate over cluster-client 3.7', f'{title}, {in_flight} in flight',
                                          [own / theirs for own, theirs in zip(rates[name], rates['cc'])], at_least=target,
                                          note=f'{median(rates[name]) / 1e3:.1f} k/s against {median(rates["cc"]) / 1e3:.1f}')

    def once(self, name, in_flight):
        bench = self.bench
        with tempfile.TemporaryDirectory(prefix='mwb') as folder:
            where = [folder] if name != 'cc' else [bench.modules, 17000 + time.monotonic_ns() // 1000 % 10000]
            leader = Process(bench.command(f'{name}_invoke', 'lead', *where), SERVER_CORE)
            leader.expect('up')
            got = Process(bench.command(f'{name}_invoke', 'call', *where, in_flight, bench.seconds), LOAD_CORE).result()
            leader.end()
            return got['rate']


SECTIONS = {'events': Events, 'invoke': Invoke}


def main(about=__doc__, title='make bench-host', packages=('cluster-client@3.7', 'sdk-base@4', 'co@4'), sections=None):
    sections = sections or SECTIONS
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--programs', required=True, help='folder of the built programs')
    parser.add_argument('--out', required=True, help='folder for result.md and result.json')
    parser.add_argument('--pairs', type=int, default=0, help='interleaved pairs of runs a cell (9, quick 3)')
    parser.add_argument('--modules', default='', help='folder where packages of npm are, or are put')
    parser.add_argument('--quick', action='store_true', help='few, short pairs: a smoke test of a minute')
    parser.add_argument('--only', default=','.join(sections), help='sections, comma separated: ' + ' '.join(sections))
    args = parser.parse_args()
    unknown = set(args.only.split(',')) - set(sections)
    if unknown:
        parser.error(f'no such section: {", ".join(sorted(unknown))}')
    bench = Bench(args, title, packages)
    look_around(bench)
    return measure(bench, [sections[name](bench) for name in args.only.split(',')])


if __name__ == '__main__':
    sys.exit(main())
