#!/usr/bin/env python3
"""make bench-mesh: calls between two ends of a link and between nodes of a mesh, against ZeroMQ, nng, NATS, bare sockets,
Moleculer, socket.io, gRPC-Go and tonic. The programs are there already, but for those in Go and Rust (mesh_languages.py).

Ratios are taken within one run, from interleaved pairs, and shown as median and quartiles. Who calls has the second
core, who answers the first. Ctrl-C ends early and shows what there is."""
import json
import socket
import sys
import tempfile
from statistics import median

import host
from calls import Calls, Messages
from mesh_languages import Languages
from mesh_links import Links
from process import LOAD_CORE, SERVER_CORE, Process

NEIGHBOURS = {'moleculer': ('Moleculer', 3), 'socketio': ('socket.io', 3)}
CROWDS = (2, 10, 50)  # nodes


def free_port():
    """The first of two neighbouring ones that are free now."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(('127.0.0.1', 0))
            try:
                second.bind(('127.0.0.1', first.getsockname()[1] + 1))
            except OSError:
                continue
            return first.getsockname()[1]


def cpu_seconds(process):
    with open(f'/proc/{process.pid}/schedstat', encoding='ascii') as file:
        return int(file.read().split()[0]) / 1e9


class Nodes:
    """Two nodes, both in Node; and in C."""

    def __init__(self, bench):
        self.bench = bench
        self.names = ['mw_node', *(['node_mesh'] if bench.addon else []),
                      *(f'{name}_calls' for name in NEIGHBOURS if bench.modules)]
        if not bench.addon:
            bench.report.remark('SKIPPED: calls from Node, because its addon was not built (make bindings)')

    def planned(self):
        return 2 * len(self.names) * self.bench.pairs * (1.2 * self.bench.seconds + 1)

    def run(self):
        for in_flight in (1, 64):
            rates = {}
            for pair in range(self.bench.pairs):
                for name in self.names if pair % 2 == 0 else reversed(self.names):
                    self.bench.progress.step(1.2 * self.bench.seconds + 1, f'nodes x {in_flight}, {name}')
                    rates.setdefault(name, []).append(self.once(name, in_flight))
            for short, (title, target) in NEIGHBOURS.items():
                theirs = rates.get(f'{short}_calls')
                for own, where, least in (('node_mesh', 'Node to Node', target), ('mw_node', 'C to C', None)):
                    if theirs and own in rates:
                        self.bench.report.add('Calls between two nodes, rate over another', f'{where}, {in_flight} in flight, over {title}',
                                              [mine / other for mine, other in zip(rates[own], theirs)], at_least=least,
                                              note=f'{median(rates[own]) / 1e3:.1f} k/s against {median(theirs) / 1e3:.1f}')

    def once(self, name, in_flight):
        bench = self.bench
        with tempfile.TemporaryDirectory(prefix='mwb') as folder:
            where = [bench.modules, free_port()] if name.endswith('_calls') else [folder]
            with Process(bench.command(name, 'serve', *where), SERVER_CORE) as server:
                server.expect('up')
                servers = [1] if name == 'mw_node' else []
                return Process(bench.command(name, 'call', *where, *servers, in_flight, bench.seconds), LOAD_CORE).result()['rate']


class Crowd:
    """CPU of all nodes for a call, where one calls all others in turn, with 64 in flight to each."""

    def __init__(self, bench):
        self.bench = bench

    def planned(self):
        return len(CROWDS) * self.bench.pairs * (1.2 * self.bench.seconds + 1.5)

    def run(self):
        costs = {}
        for _ in range(self.bench.pairs):
            for nodes in CROWDS:
                self.bench.progress.step(1.2 * self.bench.seconds + 1.5, f'calls among {nodes} nodes')
                costs.setdefault(nodes, []).append(self.once(nodes - 1))
        for nodes in CROWDS[1:]:
            self.bench.report.add(f'CPU of all nodes for a call, over that of {CROWDS[0]}', f'{nodes} nodes',
                                  [here / few for here, few in zip(costs[nodes], costs[CROWDS[0]])], at_most=1.3,
                                  note=f'{median(costs[nodes]):.2f} us against {median(costs[CROWDS[0]]):.2f}')

    def once(self, servers):
        bench = self.bench
        with tempfile.TemporaryDirectory(prefix='mwb') as folder:
            serving = [Process(bench.command('mw_node', 'serve', folder), SERVER_CORE) for _ in range(servers)]
            for each in serving:
                each.expect('up')
            caller = Process(bench.command('mw_node', 'call', folder, servers, 64 * servers, bench.seconds), LOAD_CORE)
            caller.expect('measures')
            before = sum(cpu_seconds(each) for each in serving)
            got = json.loads(caller.line())
            spent = sum(cpu_seconds(each) for each in serving) - before
            caller.end()
            for each in serving:
                each.end()
            return got['cpu_us'] + spent / got['calls'] * 1e6


if __name__ == '__main__':
    sys.exit(host.main(__doc__, 'make bench-mesh', ('moleculer@0.14', 'socket.io@4', 'socket.io-client@4'),
                       {'calls': Calls, 'messages': Messages, 'nodes': Nodes, 'crowd': Crowd, 'links': Links,
                        'languages': Languages}))
