#!/usr/bin/env python3
"""make bench-bindings: an echo provider in each language against that language's own WebSocket servers.

Servers on the first core, `meshwork bench --spin` as the load on the second, runs of one second in interleaved pairs;
shown are median and quartiles of the ratios. Column C: what the same library reaches in the same cell from C, so what the
kernel and the load leave possible. What is missing for a language is fetched from its registry; where that fails the
language is left out, and the table says so. Ctrl-C ends early and shows what there is."""
import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
from statistics import median

import process
from report import Progress, Report
from run import machine

ROOT = pathlib.Path(__file__).resolve().parents[2]
CELLS = [(size, flight, count) for size in (20, 1024) for flight in (1, 16) for count in (1, 64, 500)]


class Absent(Exception):
    """Why a language cannot be measured here."""


def build(command, where, **environment):
    done = subprocess.run([str(word) for word in command], cwd=where, env={**os.environ, **environment},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Absent(f'{command[0]} {command[1]} failed: {done.stdout.strip().splitlines()[-1:]}')


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            raise Absent(f'there is no {tool}')


class Language:
    """name; servers: {name: (command with {port}, environment)}, ours first; targets: {rival: f(flight, count)}"""

    def __init__(self, args):
        self.release, self.stage = pathlib.Path(args.release).resolve(), pathlib.Path(args.stage).resolve()
        self.out = pathlib.Path(args.out).resolve() / 'bindings' / self.name
        self.out.mkdir(parents=True, exist_ok=True)
        self.library = next(self.stage.glob('lib/**/libmeshwork.so.1'))
        self.linked = {'PKG_CONFIG_PATH': str(self.library.parent / 'pkgconfig'),
                       'LD_LIBRARY_PATH': str(self.library.parent)}


    def reference(self):
        """The same library without a language around it."""
        program = self.out / 'echo_c'
        need('cc', 'pkg-config')
        flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'meshwork'], env={**os.environ, **self.linked},
                               stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        build(['cc', '-O2', '-o', program, ROOT / 'tests/bench/mw_echo.c', *flags], self.out)
        return [program, '--door=run'], self.linked


class Node(Language):
    name, rivals = 'node', {'ws': lambda flight, count: (10 if count > 1 else 3.5) if flight > 1 else (1.6 if count > 1 else 1)}

    def servers(self):
        need('node', 'npm')
        addon = self.release / 'demo/node/addon/meshwork.node'
        if not addon.exists():
            raise Absent('the addon was not built (see the lines of make above)')
        if not (self.out / 'node_modules/ws').is_dir():
            build(['npm', 'install', '--silent', '--no-audit', '--no-fund', '--no-save', '--prefix', '.', 'ws@8'], self.out)
        link = self.out / 'node_modules/meshwork'
        if not link.is_symlink():
            link.symlink_to(ROOT / 'bindings/node')
        for file in (ROOT / 'bindings/node/bench').glob('echo_*.js'):
            shutil.copy(file, self.out)
        us = {'MESHWORK_ADDON': str(addon)}
        return {'meshwork': (['node', self.out / 'echo_meshwork.js'], us), 'ws': (['node', self.out / 'echo_ws.js'], {})}


class Go(Language):
    name = 'go'
    rivals = {name: lambda flight, count: 2 if flight > 1 else 1 for name in ('gorilla', 'coder')}

    def servers(self):
        need('go', 'pkg-config')
        program = self.out / 'echo'
        build(['go', 'build', '-o', program, '.'], ROOT / 'bindings/go/bench', CGO_ENABLED='1', **self.linked)
        return {name: ([program, name, '{port}'], self.linked) for name in ('meshwork', 'gorilla', 'coder')}


class Rust(Language):
    name = 'rust'
    rivals = {'tokio-tungstenite': lambda flight, count: 1.5, 'fastwebsockets': lambda flight, count: 1}

    def servers(self):
        need('cargo', 'pkg-config')
        build(['cargo', 'build', '--quiet', '--release', '--locked'], ROOT / 'bindings/rust/bench',
              CARGO_TARGET_DIR=str(self.out / 'target'), **self.linked)
        program = next(p for p in (self.out / 'target/release').iterdir() if p.is_file() and os.access(p, os.X_OK))
        return {name: ([program, name, '{port}'], self.linked) for name in ('meshwork', *self.rivals)}


class Python(Language):
    name, rivals = 'python', {'websockets': lambda flight, count: 5}

    def servers(self):
        site = self.out / 'site'
        if not site.is_dir():
            build([sys.executable, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', site,
                   'websockets'], self.out)
        bench = ROOT / 'bindings/python/bench'
        us = {'MESHWORK_LIBRARY': str(self.library), 'PYTHONPATH': str(ROOT / 'bindings/python/src'), 'PYTHONDONTWRITEBYTECODE': '1'}
        return {'meshwork': ([sys.executable, bench / 'echo_meshwork.py', '{port}'], us),
                'websockets': ([sys.executable, bench / 'echo_websockets.py', '{port}'], {'PYTHONPATH': str(site)})}


LANGUAGES = {kind.name: kind for kind in (Node, Go, Rust, Python)}


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def start(command, environment):
    """A server, and its URL once it answers. It may choose its port and print its URL."""
    port = free_port()
    words = ['env', *(f'{k}={v}' for k, v in environment.items()), *(str(w).replace('{port}', str(port)) for w in command)]
    server = process.Process(words, process.SERVER_CORE)
    said = server.line(20)
    if '://' in said:
        return server, said.strip()
    if said.startswith('port '):
        port = int(said.split()[1])
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(('127.0.0.1', port), 1).close()
            return server, f'ws://127.0.0.1:{port}/connect'
        except OSError:
            if time.monotonic() > until:
                raise process.Failed(f'{command[0]} does not listen') from None


def load(program, url, cell, seconds):
    size, flight, count = cell
    return process.Process([program, 'bench', url, '-b', size, '-i', flight, '-c', count, '-d', seconds, '--spin', '--json', '-q'],
                           process.LOAD_CORE).result()


def measure(language, servers, args, report, progress):
    running = {name: start(*server) for name, server in {**servers, 'C': language.reference()}.items()}
    for cell in args.cells:
        size, flight, count = cell
        title = f'{size} B x {flight} in flight x {count} connection{"s" * (count > 1)}'
        runs = {name: [] for name in running}
        for pair in range(args.pairs):
            for name in list(running) if pair % 2 else list(running)[::-1]:
                progress.step(args.seconds * 1.1 + 0.2, f'{language.name} {title}, pair {pair + 1} of {args.pairs}, {name}')
                runs[name].append(load(args.program, running[name][1], cell, args.seconds))
        ours = runs['meshwork']
        for rival, target in language.rivals.items():
            ratios = [own['rate'] / other['rate'] for own, other in zip(ours, runs[rival])]
            possible = median(run['rate'] / other['rate'] for run, other in zip(runs['C'], runs[rival]))
            note = f'{median(r["rate"] for r in ours) / 1e3:.0f} k/s against {median(r["rate"] for r in runs[rival]) / 1e3:.0f}, ' \
                   f'p50 {median(r["p50_us"] for r in ours):.0f} us against {median(r["p50_us"] for r in runs[rival]):.0f}'
            report.add(f'{language.name} against {rival}', title, ratios, at_least=target(flight, count), note=note, detail=runs,
                       reference=possible)
    for server, _ in running.values():
        server.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--release', required=True, help='build folder')
    parser.add_argument('--stage', required=True, help='where the library is installed')
    parser.add_argument('--out', required=True, help='folder for bindings.md and bindings.json')
    parser.add_argument('--pairs', type=int, default=0, help='interleaved pairs a cell (5, quick 3)')
    parser.add_argument('--seconds', type=float, default=1)
    parser.add_argument('--quick', action='store_true', help='two cells a language')
    parser.add_argument('--only', default=','.join(LANGUAGES), help='languages, comma separated: ' + ' '.join(LANGUAGES))
    args = parser.parse_args()
    args.pairs = args.pairs or (3 if args.quick else 5)
    args.cells = [(20, 1, 64), (20, 16, 64)] if args.quick else CELLS
    args.program = pathlib.Path(args.release).resolve() / 'meshwork'
    report = Report({'date': time.strftime('%Y-%m-%d %H:%M'), 'machine': machine(),
                     'pairs': f'{args.pairs} of {args.seconds:g} s', 'load before': f'{os.getloadavg()[0]:.2f}'}, 'make bench-bindings', 'C')
    chosen = []
    for name in args.only.split(','):
        if name not in LANGUAGES:
            parser.error(f'no such language: {name}')
        try:
            print(f'{name}: building', flush=True)
            language = LANGUAGES[name](args)
            chosen.append((language, language.servers()))
        except Absent as why:
            report.remark(f'SKIPPED: {name}: {why}')
    progress = Progress(sum(len(servers) + 1 for _, servers in chosen) * len(args.cells) * args.pairs * (args.seconds * 1.1 + 0.2))
    failed = 0
    try:
        for language, servers in chosen:
            try:
                measure(language, servers, args, report, progress)
            except process.Failed as error:
                failed = 1
                report.remark(f'FAILED: {language.name}: {error}')
                process.end_all()
    except KeyboardInterrupt:
        failed = 130
        report.remark('INTERRUPTED: this is what there was')
    finally:
        process.end_all()
        progress.end()
        report.facts['load after'] = f'{os.getloadavg()[0]:.2f}'
    text = report.table()
    out = pathlib.Path(args.out)
    (out / 'bindings.md').write_text(text)
    (out / 'bindings.json').write_text(json.dumps([figure.to_json() for figure in report.figures], indent=1))
    print(text + f'written to {out}/bindings.md and bindings.json')
    return failed


if __name__ == '__main__':
    sys.exit(main())
