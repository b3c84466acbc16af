"""User-space memory of idle connections: growth of the server's anonymous memory over many of them."""
import time
from statistics import median

from process import LOAD_CORE, SERVER_CORE, Process

SECTION = 'Memory of an idle connection, user space'
WARM = 1000  # connections that are there before: the first ones pay for what all share
LIMIT = 512


def anonymous_bytes(pid):
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as file:
        for line in file:
            if line.startswith('Anonymous:'):
                return int(line.split()[1]) * 1024
    raise OSError('no Anonymous in smaps_rollup')


def settled_bytes(pid):
    """The same once it has stood still for a moment: the last connection may still be on its way in."""
    before = anonymous_bytes(pid)
    for _ in range(40):
        time.sleep(0.05)
        now = anonymous_bytes(pid)
        if now == before:
            break
        before = now
    return before


class Memory:
    def __init__(self, bench):
        self.bench = bench
        self.count = 2000 if bench.quick else 10000
        self.repeats = 1 if bench.quick else 3

    def planned(self):
        return self.repeats * (self.count + WARM) / 1000 * (0.3 + 3 * 1.2)

    def run(self):
        bench = self.bench
        quiet = ['--set=heartbeat.interval=0']  # the crowd never answers
        tls = quiet + bench.certificate('--set=tls.cert_file=', '--set=tls.key_file=')
        plain, bare, lean, usual = [], [], [], []
        for repeat in range(self.repeats):
            for name, samples, command in (
                    ('plain', plain, [bench.program('mw_echo'), *quiet]),
                    ('bare SSL', bare, [bench.program('bare_ssl'), *bench.certificate('--cert=', '--key=')]),
                    ('TLS low_memory', lean, [bench.program('mw_echo'), *tls, '--set=tls.low_memory=true']),
                    ('TLS', usual, [bench.program('mw_echo'), *tls])):
                seconds = (self.count + WARM) / 1000 * (0.3 if name == 'plain' else 1.2)
                bench.progress.step(seconds, f'memory {name}, round {repeat + 1} of {self.repeats}')
                samples.append(self._each(command, ['--tls'] * (name != 'plain')))
        bench.report.add(SECTION, 'plain', plain, unit='B', at_most=LIMIT, note=f'{self.count} connections')
        over = [own - base for own, base in zip(lean, bare)]
        note = f'{median(lean):.0f} B in all, bare SSL with released buffers {median(bare):.0f} B'
        bench.report.add(SECTION, 'TLS (low_memory), over a bare SSL', over, unit='B', at_most=LIMIT, note=note)
        bench.report.add(SECTION, 'TLS (default)', usual, unit='B', note='in all')

    def _each(self, command, tls):
        crowd = [self.bench.program('crowd')] + tls
        with Process(command, SERVER_CORE) as server:
            port = server.port()
            with Process(crowd + [f'--port={port}', f'--count={WARM}'], LOAD_CORE) as first:
                first.expect('ready', 600)
                before = settled_bytes(server.pid)
                with Process(crowd + [f'--port={port}', f'--count={self.count}'], LOAD_CORE) as second:
                    second.expect('ready', 600)
                    return (settled_bytes(server.pid) - before) / self.count
