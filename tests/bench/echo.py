"""Echo: meshwork's inline door against the raw epoll ceiling, Beast and ws beside it."""
from statistics import median

from process import LOAD_CORE, SERVER_CORE, Process

PLAIN = [(size, flight, count) for size in (20, 1024) for flight in (1, 16) for count in (1, 64, 500)] + \
        [(16384, flight, count) for flight in (1, 16) for count in (1, 64)]
TLS = [(20, 1, 64), (20, 16, 64), (1024, 16, 64), (1024, 16, 500), (16384, 16, 64)]
QUICK_PLAIN = [(20, 1, 64), (20, 16, 64), (1024, 16, 64), (16384, 16, 64)]
QUICK_TLS = [(1024, 16, 64)]
NEIGHBOUR_ROUNDS = 3
OWN_WIRE = 'own wire'  # the same server as meshwork, spoken to in its own subprotocol


class Echo:
    def __init__(self, bench):
        self.bench = bench
        self.cells = [(cell, False) for cell in (QUICK_PLAIN if bench.quick else PLAIN)] + \
                     [(cell, True) for cell in (QUICK_TLS if bench.quick else TLS)]
        self.a_run = bench.seconds + 0.6

    def planned(self):
        return sum(self._runs(tls) * self.a_run for _, tls in self.cells)

    def _runs(self, tls):
        neighbours = 1 if tls else 2 + (self.bench.ws is not None)
        return 2 * self.bench.pairs + neighbours * min(NEIGHBOUR_ROUNDS, self.bench.pairs)

    def _servers(self, tls):
        bench = self.bench
        servers = {
            'ceiling': [bench.program('ceiling_echo')] + bench.certificate('--cert=', '--key=') * tls,
            'meshwork': [bench.program('mw_echo')] +
                        bench.certificate('--set=tls.cert_file=', '--set=tls.key_file=') * tls,
        }
        if not tls:
            servers['Beast'] = [bench.program('beast_echo')]
            if bench.ws is not None:
                servers['ws'] = ['node', bench.source('ws_echo.js'), bench.ws]
        return {name: Process(command, SERVER_CORE) for name, command in servers.items()}

    def run(self):
        for cell, tls in self.cells:
            self._cell(cell, tls)

    def _cell(self, cell, tls):
        bench = self.bench
        size, flight, count = cell
        title = f'{"TLS " * tls}{size} B x {flight} in flight x {count} connection{"s" * (count > 1)}'
        servers = self._servers(tls)
        ports = {name: server.port() for name, server in servers.items()}
        servers[OWN_WIRE], ports[OWN_WIRE] = servers['meshwork'], ports['meshwork']
        runs = {name: [] for name in servers}
        stride = max(1, bench.pairs // NEIGHBOUR_ROUNDS)
        for pair in range(bench.pairs):
            names = ['ceiling', 'meshwork'] if pair % 2 == 0 else ['meshwork', 'ceiling']
            if pair % stride == 0 and pair // stride < NEIGHBOUR_ROUNDS:
                names += [name for name in servers if name not in names]
            for name in names:
                bench.progress.step(self.a_run, f'echo {title}, pair {pair + 1} of {bench.pairs}, {name}')
                command = [bench.program('loadgen'), f'--port={ports[name]}', f'--pid={servers[name].pid}',
                           f'--size={size}', f'--flight={flight}', f'--connections={count}',
                           f'--seconds={bench.seconds}'] + ['--tls'] * tls + ['--own-wire'] * (name == OWN_WIRE)
                runs[name].append(Process(command, LOAD_CORE).result())
        for server in servers.values():
            server.end()
        ratios = [own['rate'] / raw['rate'] for own, raw in zip(runs['meshwork'], runs['ceiling'])]
        bench.report.add('Echo, inline door, against the ceiling' + ', TLS' * tls, title, ratios,
                         at_least=0.9 if tls or size == 16384 else 0.95, note=self._note(runs), detail=runs)

    @staticmethod
    def _note(runs):
        def middle(name, key):
            return median(run[key] for run in runs[name])

        own, raw = (middle(name, 'server_us') for name in ('meshwork', 'ceiling'))
        parts = [f'{middle("meshwork", "rate") / 1e3:.0f} k/s', f'p99 {middle("meshwork", "p99_us"):.0f} us '
                 f'(ceiling {middle("ceiling", "p99_us"):.0f})', f'CPU {own:.2f} us a message (x{own / raw:.2f})']
        parts += [f'{name} {middle(name, "rate") / middle("ceiling", "rate"):.2f}'
                  for name in (OWN_WIRE, 'Beast', 'ws') if runs.get(name)]
        if middle('meshwork', 'load_busy') > 0.97 and middle('meshwork', 'server_busy') < 0.97:
            parts.append('the load generator was the limit: compare CPU')
        return ', '.join(parts)
