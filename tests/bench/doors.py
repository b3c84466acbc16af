"""What each door costs an event: a million small messages a second in bursts of 64, counted and not answered."""
from statistics import median

from process import HOST_CORE, LOAD_CORE, SERVER_CORE, Process

SECTION = 'Doors: CPU of all threads for an event, batches of 64, over the inline door'
TARGETS = {'dispatch': 200, 'take': 200, 'host-take': 60, 'run': None}


class Doors:
    def __init__(self, bench):
        self.bench = bench
        self.a_run = bench.seconds + 0.5

    def planned(self):
        return self.bench.pairs * (len(TARGETS) + 1) * self.a_run

    def run(self):
        bench = self.bench
        names = ['inline', *TARGETS]
        servers, ports, runs = {}, {}, {name: [] for name in names}
        for name in names:
            queued = name in ('dispatch', 'take')
            command = [bench.program('mw_echo'), f'--door={name}', '--count']
            # Threads of the library stay on the server's core; the consumer of a queued door has its own.
            servers[name] = Process(command + [f'--host-core={HOST_CORE}'] * queued, SERVER_CORE)
            ports[name] = servers[name].port()
        for pair in range(bench.pairs):
            for name in names if pair % 2 == 0 else reversed(names):
                bench.progress.step(self.a_run, f'doors, round {pair + 1} of {bench.pairs}, {name}')
                runs[name].append(self._load(servers[name], ports[name]))
        for server in servers.values():
            server.end()
        inline = [run['server_us'] * 1e3 for run in runs['inline']]
        for name, target in TARGETS.items():
            extra = [run['server_us'] * 1e3 - base for run, base in zip(runs[name], inline)]
            whole = median(run['server_us'] for run in runs[name]) * 1e3
            note = f'{whole:.0f} ns in all (inline {median(inline):.0f})'
            if name != 'run':
                batch = median(run['batch'] for run in runs[name])
                note += f', {batch:.0f} events a batch' + ' (larger than asked: a busy machine)' * (batch > 96)
            rate = median(run['rate'] for run in runs[name])
            if rate < 950_000:
                note += f', only {rate / 1e3:.0f} k/s came through'
            bench.report.add(SECTION, name, extra, unit='ns', at_most=target, note=note, detail=runs[name])

    def _load(self, server, port):
        command = [self.bench.program('loadgen'), f'--port={port}', f'--pid={server.pid}', '--one-way', '--sleep',
                   '--rate=1000000', '--burst=64', '--size=20', f'--seconds={self.bench.seconds}']
        return Process(command, LOAD_CORE).result()
