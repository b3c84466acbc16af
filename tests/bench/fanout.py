"""One publish to many subscribers against as many bare sends of the same frame, round by round."""
from statistics import median

from process import LOAD_CORE, SERVER_CORE, Process


class Fanout:
    def __init__(self, bench):
        self.bench = bench
        self.count = 2000 if bench.quick else 10000
        self.rounds = 9 if bench.quick else 41
        self.sizes = [20] if bench.quick else [20, 1024]

    def planned(self):
        return len(self.sizes) * (self.count / 1000 * 0.6 + self.rounds * 0.15)

    def run(self):
        for size in self.sizes:
            self._size(size)

    def _size(self, size):
        bench = self.bench
        frame = size + (2 if size < 126 else 4)
        bench.progress.step(self.count / 1000 * 0.6, f'publish {size} B to {self.count}, connecting')
        publish = Process([bench.program('mw_publish'), self.count, size], SERVER_CORE, stdin=True)
        bare = Process([bench.program('fanout_bare'), f'--count={self.count}', f'--size={size}'], SERVER_CORE,
                       stdin=True)
        crowds = {}
        for server in (publish, bare):
            crowds[server] = Process([bench.program('crowd'), f'--port={server.port()}', f'--count={self.count}',
                                      f'--frame={frame}'], LOAD_CORE)
            crowds[server].expect('ready', 600)
        wall = {publish: [], bare: []}
        cpu = {publish: [], bare: []}
        for number in range(self.rounds):
            bench.progress.step(0.15, f'publish {size} B to {self.count}, round {number + 1} of {self.rounds}')
            for server in (publish, bare) if number % 2 == 0 else (bare, publish):
                server.write('go\n')
                took = [int(word) for word in server.line(60).split()]
                crowds[server].expect('round', 60)  # all of it has arrived before the other one begins
                wall[server].append(took[0])
                cpu[server].append(took[1])
        for process in (*crowds.values(), publish, bare):
            process.end()
        note = f'{median(wall[publish]) / 1e6:.1f} ms against {median(wall[bare]) / 1e6:.1f} ms; CPU ' \
               f'x{median(own / raw for own, raw in zip(cpu[publish], cpu[bare])):.2f}'
        bench.report.add('One publish to many, against bare sends of the same frame',
                         f'{size} B to {self.count} subscribers',
                         [own / raw for own, raw in zip(wall[publish], wall[bare])], at_most=1.3, note=note)
