"""Calls at 1 and 64 in flight against the same bytes over bare blocking sockets, against ZeroMQ's DEALER and ROUTER,
nng and NATS, pair by pair; and messages one way against ZeroMQ's PUSH and PULL."""
import json
import pathlib
import shutil
import tempfile
import time
from statistics import median

from process import LOAD_CORE, SERVER_CORE, Failed, Process

# in flight -> at least so many times its rate
OTHERS = {'zmq_calls': ('ZeroMQ', {1: 1.3, 64: 1.8}), 'bare_calls': ('bare sockets', {1: 0.9}), 'nng_calls': ('nng', {64: 10}),
          'nats_calls': ('NATS', {64: 10})}


def nats_server(folder):
    """The server and its port, which it writes to a file."""
    server = Process(['nats-server', '-a', '127.0.0.1', '-p', '-1', '--ports_file_dir', folder, '-l', f'{folder}/log'], SERVER_CORE)
    for _ in range(200):
        time.sleep(0.05)
        for file in pathlib.Path(folder).glob('*.ports'):
            try:
                return server, json.loads(file.read_text())['nats'][0].rsplit(':', 1)[1]
            except ValueError:
                continue  # half written
    raise Failed('nats-server told no port')


class Calls:
    def __init__(self, bench):
        self.bench = bench
        self.sizes = [20] if bench.quick else [20, 1024]
        self.others = []
        for name, (title, _) in OTHERS.items():
            if bench.program(name).exists() and (name != 'nats_calls' or shutil.which('nats-server')):
                self.others.append(name)
            else:
                bench.report.remark(f'SKIPPED: {title}, because its package was missing when the bench was built')

    def planned(self):
        return len(self.sizes) * 2 * (1 + len(self.others)) * self.bench.pairs * (1.1 * self.bench.seconds + 0.1)

    def run(self):
        with tempfile.TemporaryDirectory(prefix='mwb') as folder:
            self.nats = nats_server(folder) if 'nats_calls' in self.others else None
            for size in self.sizes:
                for in_flight in (1, 64):
                    self._cell(in_flight, size)
            if self.nats:
                self.nats[0].end()

    def _serve(self, name):
        """Who answers, and where."""
        if name != 'nats_calls':
            server = Process([self.bench.program(name), 'serve'], SERVER_CORE)
            return server, server.port()
        port = self.nats[1]
        server = Process([self.bench.program(name), 'serve', port], SERVER_CORE)
        server.expect('up')
        return server, port

    def _cell(self, in_flight, size):
        bench, rates, costs = self.bench, {}, {}
        names = ['mw_calls', *self.others]
        servers = {name: self._serve(name) for name in names}
        for pair in range(bench.pairs):
            for name in names if pair % 2 == 0 else reversed(names):
                bench.progress.step(1.1 * bench.seconds + 0.1, f'calls {size} B x {in_flight}, {name}')
                got = Process([bench.program(name), 'call', servers[name][1], in_flight, size, bench.seconds], LOAD_CORE).result()
                rates.setdefault(name, []).append(got['rate'])
                costs.setdefault(name, []).append(got['client_us'])
        for server, _ in servers.values():
            server.end()
        for other in self.others:
            title, targets = OTHERS[other]
            note = f'{median(rates["mw_calls"]) / 1e3:.0f} k/s against {median(rates[other]) / 1e3:.0f}; caller ' \
                   f'{median(costs["mw_calls"]):.2f} us of CPU a call against {median(costs[other]):.2f}'
            bench.report.add('Calls between two processes, rate over another', f'{size} B, {in_flight} in flight, over {title}',
                             [own / theirs for own, theirs in zip(rates['mw_calls'], rates[other])], at_least=targets.get(in_flight), note=note)


class Messages:
    """One sends as fast as it may, the other counts."""

    def __init__(self, bench):
        self.bench = bench
        self.sizes = [20] if bench.quick else [20, 1024]
        self.names = [name for name in ('mw_messages', 'zmq_messages') if bench.program(name).exists()]

    def planned(self):
        return len(self.sizes) * len(self.names) * self.bench.pairs * (self.bench.seconds + 0.5)

    def run(self):
        if 'zmq_messages' not in self.names:
            return self.bench.report.remark('SKIPPED: messages, because libzmq3-dev was missing when the bench was built')
        for size in self.sizes:
            rates, costs = {}, {}
            for pair in range(self.bench.pairs):
                for name in self.names if pair % 2 == 0 else reversed(self.names):
                    self.bench.progress.step(self.bench.seconds + 0.5, f'messages {size} B, {name}')
                    rate, cost = self._once(name, size)
                    rates.setdefault(name, []).append(rate)
                    costs.setdefault(name, []).append(cost)
            own, theirs = self.names
            self.bench.report.add('Messages one way, rate over another', f'{size} B, over ZeroMQ',
                                  [a / b for a, b in zip(rates[own], rates[theirs])], at_least=1,
                                  note=f'{median(rates[own]) / 1e3:.0f} k/s against {median(rates[theirs]) / 1e3:.0f}; '
                                       f'{median(costs[own]):.2f} us of CPU of both a message against {median(costs[theirs]):.2f}')

    def _once(self, name, size):
        bench = self.bench
        with Process([bench.program(name), 'hear'], LOAD_CORE, stdin=True) as hearer:
            port = hearer.port()
            before = self._asked(hearer)['cpu']
            sent = Process([bench.program(name), 'send', port, size, bench.seconds], SERVER_CORE).result()
            end = time.monotonic() + 30
            while (heard := self._asked(hearer))['heard'] < sent['sent']:
                if time.monotonic() > end:
                    raise Failed(f'{name} heard {heard["heard"]} of {sent["sent"]}')
                time.sleep(0.02)
        cpu = sent['cpu'] + heard['cpu'] - before
        return sent['sent'] / (heard['at'] - sent['began']), cpu / sent['sent'] * 1e6

    @staticmethod
    def _asked(hearer):
        hearer.write('?\n')
        return json.loads(hearer.line())
