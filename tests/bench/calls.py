"""Calls at 1 and 64 in flight against the same bytes over bare blocking sockets, and against ZeroMQ's DEALER and
ROUTER, pair by pair."""
from statistics import median

from process import LOAD_CORE, SERVER_CORE, Process

NAMES = {'mw_calls': 'meshwork', 'bare_calls': 'bare sockets', 'zmq_calls': 'ZeroMQ'}
# in flight -> (over ZeroMQ, over the bare sockets)
TARGETS = {1: (1.3, 0.9), 64: (1.8, None)}


class Calls:
    def __init__(self, bench):
        self.bench = bench
        self.sizes = [20] if bench.quick else [20, 1024]
        self.programs = [name for name in NAMES if bench.program(name).exists()]

    def planned(self):
        return len(self.sizes) * len(TARGETS) * len(self.programs) * self.bench.pairs * (1.1 * self.bench.seconds + 0.1)

    def run(self):
        if 'zmq_calls' not in self.programs:
            self.bench.report.remark('SKIPPED: ZeroMQ, because libzmq3-dev was missing when the bench was built')
        for size in self.sizes:
            for in_flight in TARGETS:
                self._cell(in_flight, size)

    def _cell(self, in_flight, size):
        bench, rates, costs = self.bench, {}, {}
        servers = {name: Process([bench.program(name), 'serve'], SERVER_CORE) for name in self.programs}
        ports = {name: server.port() for name, server in servers.items()}
        for pair in range(bench.pairs):
            for name in self.programs if pair % 2 == 0 else reversed(self.programs):
                bench.progress.step(1.1 * bench.seconds + 0.1, f'calls {size} B x {in_flight}, {NAMES[name]}')
                got = Process([bench.program(name), 'call', ports[name], in_flight, size, bench.seconds], LOAD_CORE).result()
                rates.setdefault(name, []).append(got['rate'])
                costs.setdefault(name, []).append(got['client_us'])
        for server in servers.values():
            server.end()
        for other, target in zip(('zmq_calls', 'bare_calls'), TARGETS[in_flight]):
            if other not in rates:
                continue
            note = f'{median(rates["mw_calls"]) / 1e3:.0f} k/s against {median(rates[other]) / 1e3:.0f}; caller ' \
                   f'{median(costs["mw_calls"]):.2f} us of CPU a call against {median(costs[other]):.2f}'
            bench.report.add('Calls between two processes, rate over another', f'{size} B, {in_flight} in flight, over {NAMES[other]}',
                             [own / theirs for own, theirs in zip(rates['mw_calls'], rates[other])], at_least=target, note=note)
