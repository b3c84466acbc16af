"""Memory of an idle link: of a provider of the own wire whose peers have said hello, over thousands of them; and of a node
for another member and the link to it, at the end that dialled and at the end that was dialled."""
import os
import tempfile

from memory import settled_bytes
from process import LOAD_CORE, SERVER_CORE, Process

LIMIT = 2048
SECTION = 'Memory of an idle link, user space'


class Links:
    def __init__(self, bench):
        self.bench = bench
        self.count = 2000 if bench.quick else 10000
        self.members = 100
        self.repeats = 1 if bench.quick else 3

    def planned(self):
        return self.repeats * (self.count / 1000 + 20)

    def run(self):
        for title, once, limit in (('own wire, the end that was dialled', self._wire, LIMIT),
                                   ('nodes, the end that was dialled, with the member behind it', self._dialled, None),
                                   ('nodes, the end that dialled, with the member behind it', self._dials, None)):
            samples = []
            for repeat in range(self.repeats):
                self.bench.progress.step(self.count / 1000 if limit else 10, f'links, {title}, round {repeat + 1} of {self.repeats}')
                with tempfile.TemporaryDirectory(prefix='mwb') as folder:
                    samples.append(once(folder))
            self.bench.report.add(SECTION, title, samples, unit='B', at_most=limit, note=f'{self.count if limit else self.members} links')

    def _wire(self, _folder):
        crowd = [self.bench.program('crowd'), '--own-wire']
        with Process([self.bench.program('mw_echo'), '--set=heartbeat.interval=0'], SERVER_CORE) as server:
            port = server.port()
            with Process([*crowd, f'--port={port}', '--count=1000'], LOAD_CORE) as few:
                few.expect('ready', 600)
                before = settled_bytes(server.pid)
                with Process([*crowd, f'--port={port}', f'--count={self.count}'], LOAD_CORE) as many:
                    many.expect('ready', 600)
                    return (settled_bytes(server.pid) - before) / self.count

    def _serve(self, folder, count):
        process = Process([self.bench.program('mw_links'), 'serve', folder, count], SERVER_CORE)
        process.expect('up', 300)
        return process

    def _call(self, folder, count, servers):
        process = Process([self.bench.program('mw_links'), 'call', folder, count, servers], LOAD_CORE, stdin=True)
        process.expect('up', 300)
        return process

    @staticmethod
    def _link(callers, calls):
        callers.write(f'{calls}\n')
        callers.expect('linked', 300)

    def _dialled(self, folder):
        server = self._serve(folder, 1)
        few = self._call(folder, self.members, 1)  # the first ones pay for what all share, and for what dialling takes meanwhile
        self._link(few, 1)
        before, had = settled_bytes(server.pid), links(server.pid)
        many = self._call(folder, self.members, 1)
        self._link(many, 1)
        grown = (settled_bytes(server.pid) - before) / (links(server.pid) - had)
        for process in (many, few, server):
            process.end()
        return grown

    def _dials(self, folder):
        few = self._serve(folder, self.members)
        caller = self._call(folder, 1, self.members)
        self._link(caller, 2 * self.members)
        before, had = settled_bytes(caller.pid), links(caller.pid)
        many = self._serve(folder, self.members)
        for _ in range(20):  # as news of them comes
            self._link(caller, 4 * self.members)
            if links(caller.pid) - had >= 0.9 * self.members:
                break
        grown = (settled_bytes(caller.pid) - before) / (links(caller.pid) - had)
        for process in (many, few, caller):
            process.end()
        return grown


def links(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))
