"""A storm of TLS handshakes while established connections talk: does their p99 suffer more than if another process
served the storm? That other process is the same program on the same core, so only the sharing of a process differs."""
from statistics import median

from process import LOAD_CORE, SERVER_CORE, Process

RATE = 10000  # messages a second on the established connections, whatever happens


class Storm:
    def __init__(self, bench):
        self.bench = bench
        self.count = 1000 if bench.quick else 10000
        self.pairs = 1 if bench.quick else bench.pairs

    def planned(self):
        return self.pairs * 2 * (2 + self.count / 1000)

    def run(self):
        bench = self.bench
        runs = {'same': [], 'other': []}
        for pair in range(self.pairs):
            for place in ('same', 'other') if pair % 2 == 0 else ('other', 'same'):
                bench.progress.step(2 + self.count / 1000, f'storm, pair {pair + 1} of {self.pairs}, {place} process')
                runs[place].append(self._run(place))
        ratios = [same['p99_us'] / other['p99_us'] for same, other in zip(runs['same'], runs['other'])]
        p99 = {place: median(run['p99_us'] for run in of) / 1e3 for place, of in runs.items()}
        took = {place: median(run['storm']['seconds'] for run in of) for place, of in runs.items()}
        failed = sum(run['storm']['failed'] for of in runs.values() for run in of)
        note = f'p99 {p99["same"]:.1f} ms, other process {p99["other"]:.1f} ms; the storm took {took["same"]:.1f} s, ' \
               f'other process {took["other"]:.1f} s; {failed} handshakes failed'
        bench.report.add('Storm of TLS handshakes (P-256) from clients at nice 19',
                         f'p99 of {RATE // 1000} k messages/s during {self.count} handshakes', ratios, at_most=2,
                         note=note, detail=runs)

    def _run(self, place):
        bench = self.bench
        command = [bench.program('mw_echo'), '--set=heartbeat.interval=0', '--set=handshake_timeout=2m',
                   '--set=tls.handshake_timeout=2m',
                   *bench.certificate('--set=tls.cert_file=', '--set=tls.key_file=')]
        with Process(command, SERVER_CORE) as server, Process(command, SERVER_CORE) as other:
            port, other_port = server.port(), other.port()
            load = Process([bench.program('loadgen'), '--tls', '--sleep', f'--port={port}', f'--pid={server.pid}',
                            f'--rate={RATE}', '--connections=64', '--size=20', '--seconds=150'], LOAD_CORE)
            load.expect('measuring')
            storm = Process([bench.program('storm'), f'--port={port if place == "same" else other_port}',
                             f'--count={self.count}'], LOAD_CORE, nice=19)
            stormed = storm.result(130)
            load.interrupt()
            return {**load.result(), 'storm': stormed}
