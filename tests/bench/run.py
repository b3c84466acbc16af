#!/usr/bin/env python3
"""make bench: measures, prints a table, writes it to a folder. Builds nothing: the programs are there already.

Ratios are taken within one run, from interleaved pairs on pinned cores, and shown as median and quartiles. Ctrl-C
ends early and shows what there is."""
import argparse
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import time

import process
from calls import Calls
from doors import Doors
from echo import Echo
from fanout import Fanout
from memory import Memory
from report import Progress, Report
from storm import Storm

SECTIONS = {'echo': Echo, 'doors': Doors, 'memory': Memory, 'publish': Fanout, 'storm': Storm, 'calls': Calls}


class Bench:
    """What every section needs: the settings, where things are, and where figures go."""

    def __init__(self, args):
        self.programs, self.out = pathlib.Path(args.programs), pathlib.Path(args.out)
        self.quick = args.quick
        self.pairs = args.pairs or (3 if args.quick else 9)
        self.seconds = args.seconds
        self.out.mkdir(parents=True, exist_ok=True)
        self.report = Report({'date': time.strftime('%Y-%m-%d %H:%M'), 'machine': machine(),
                              'pairs': f'{self.pairs} of {self.seconds:g} s'})
        self.progress = None
        self.ws = None

    def program(self, name):
        return self.programs / name

    @staticmethod
    def source(name):
        return pathlib.Path(__file__).parent / name

    def certificate(self, cert, key):
        return [f'{cert}{self.out / "cert.pem"}', f'{key}{self.out / "key.pem"}']

    def make_certificate(self):
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
                        '-nodes', '-days', '30', '-subj', '/CN=localhost', '-keyout', self.out / 'key.pem',
                        '-out', self.out / 'cert.pem'], check=True, capture_output=True)

    def find_ws(self):
        """The neighbour from npm; without node, npm or a registry it is left out, and the table says so."""
        folder = self.out / 'node'
        if shutil.which('node') is None or shutil.which('npm') is None:
            return self.report.remark('SKIPPED: `ws`, because node or npm is missing')
        if not (folder / 'node_modules/ws').is_dir():
            done = subprocess.run(['npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix', folder, 'ws@8'],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                return self.report.remark('SKIPPED: `ws`, because npm could not install it')
        self.ws = str((folder / 'node_modules/ws').resolve())


def machine():
    model = platform.processor() or platform.machine()
    with open('/proc/cpuinfo', encoding='utf-8') as file:
        for line in file:
            if line.startswith('model name'):
                model = line.split(':', 1)[1].strip()
    return f'{model}, {len(process.CORES)} cores, Linux {platform.release()}'


def look_around(bench):
    load = os.getloadavg()[0]
    bench.report.facts['load before'] = f'{load:.2f}'
    if load > 0.3:
        bench.report.remark(f'NOT QUIET: other work was running (load {load:.2f}); take the figures as a smoke test')
    if len(process.CORES) < 2:
        bench.report.remark('ONE CORE: servers and load share it; take the figures as a smoke test')


def measure(bench, sections):
    """Runs them, prints and writes what there is; the exit code."""
    bench.progress = Progress(sum(section.planned() for section in sections))
    failed = 0
    try:
        for section in sections:
            try:
                section.run()
            except process.Failed as error:
                failed = 1
                bench.report.remark(f'FAILED: {type(section).__name__.lower()}: {error}')
                process.end_all()
    except KeyboardInterrupt:
        failed = 130
        bench.report.remark('INTERRUPTED: this is what there was')
    finally:
        process.end_all()
        bench.progress.end()
        bench.report.facts['load after'] = f'{os.getloadavg()[0]:.2f}'
        bench.report.write(bench.out)
    print(bench.report.table())
    print(f'written to {bench.out}/result.md and result.json')
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--programs', required=True, help='folder of the built programs')
    parser.add_argument('--out', required=True, help='folder for result.md and result.json')
    parser.add_argument('--pairs', type=int, default=0, help='interleaved pairs of runs a cell (9, quick 3)')
    parser.add_argument('--seconds', type=float, default=1, help='length of a run')
    parser.add_argument('--quick', action='store_true', help='few cells, few pairs: a smoke test of three minutes')
    parser.add_argument('--only', default=','.join(SECTIONS), help='sections, comma separated: ' + ' '.join(SECTIONS))
    args = parser.parse_args()
    unknown = set(args.only.split(',')) - set(SECTIONS)
    if unknown:
        parser.error(f'no such section: {", ".join(sorted(unknown))}')

    bench = Bench(args)
    bench.make_certificate()
    look_around(bench)
    if 'echo' in args.only.split(','):
        bench.find_ws()
    sections = [SECTIONS[name](bench) for name in args.only.split(',')]
    return measure(bench, sections)


if __name__ == '__main__':
    sys.exit(main())
