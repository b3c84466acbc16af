"""Calls between two nodes in Go beside gRPC-Go, and in Rust beside tonic: bindings/go/bench/calls and
bindings/rust/bench/calls, which are built here; their modules and crates come from their registries, pinned.

Both ways over TCP of loopback without TLS, one connection, the same bytes back, waited for by a goroutine or a task."""
import re
from statistics import median

from bindings import ROOT, Absent, build, need
from process import LOAD_CORE, SERVER_CORE, Process

SPAN = 1.2, 0.6  # of a run: times its seconds, and more


def made_in_go(out, linked):
    need('go', 'pkg-config')
    where = ROOT / 'bindings/go/bench/calls'
    build(['go', 'build', '-o', out / 'go_calls', '.'], where, CGO_ENABLED='1', GOTOOLCHAIN='local', **linked)
    return out / 'go_calls', re.search(r'grpc v(\S+)', (where / 'go.mod').read_text()).group(1)


def made_in_rust(out, linked):
    need('cargo', 'pkg-config')
    where = ROOT / 'bindings/rust/bench/calls'
    build(['cargo', 'build', '--quiet', '--release', '--locked'], where, CARGO_TARGET_DIR=str(out / 'rust'), **linked)
    return out / 'rust/release/calls', re.search(r'tonic = .*"=(\S+)"', (where / 'Cargo.toml').read_text()).group(1)


# what builds its program and tells the rival's version, the rival's word on the command line, its name
LANGUAGES = {'Go': (made_in_go, 'grpc', 'gRPC-Go'), 'Rust': (made_in_rust, 'tonic', 'tonic')}


class Languages:
    """Two nodes, both in Go; both in Rust."""

    def __init__(self, bench):
        self.bench, self.made = bench, {}
        out = bench.out / 'languages'
        out.mkdir(exist_ok=True)
        stage = bench.programs.parents[1] / 'stage'
        library = next(stage.glob('lib/**/libmeshwork.so.1'), None)
        folder = str(library.parent) if library else ''
        self.linked = {'PKG_CONFIG_PATH': f'{folder}/pkgconfig', 'LD_LIBRARY_PATH': folder}
        for language, (make, rival, title) in LANGUAGES.items():
            try:
                if library is None:
                    raise Absent(f'the library is not installed in {stage}')
                print(f'{language}: building', flush=True)
                program, version = make(out, self.linked)
                self.made[language] = program, rival, f'{title} {version}'
            except Absent as why:
                bench.report.remark(f'SKIPPED: calls from {language}, because {why}')

    def planned(self):
        return len(self.made) * 2 * 2 * self.bench.pairs * self.each()

    def each(self):
        return SPAN[0] * self.bench.seconds + SPAN[1]

    def run(self):
        for language, (program, rival, title) in self.made.items():
            for in_flight in (1, 64):
                self.cell(language, program, rival, title, in_flight)

    def cell(self, language, program, rival, title, in_flight):
        runs = {'meshwork': [], rival: []}
        for pair in range(self.bench.pairs):
            for name in runs if pair % 2 == 0 else reversed(runs):
                self.bench.progress.step(self.each(), f'{language} x {in_flight}, {name}')
                runs[name].append(self.once(program, name, in_flight))
        ours, theirs = runs.values()
        middle = [median(run[what] for run in side) for what in ('rate', 'cpu_us') for side in (ours, theirs)]
        note = f'{middle[0] / 1e3:.1f} k/s against {middle[1] / 1e3:.1f}; ' \
               f'caller {middle[2]:.1f} us of CPU a call against {middle[3]:.1f}'
        self.bench.report.add('Calls between two nodes over TCP, rate over another',
                              f'{language} to {language}, {in_flight} in flight, over {title}',
                              [own['rate'] / other['rate'] for own, other in zip(ours, theirs)], note=note, detail=runs)

    def once(self, program, name, in_flight):
        command = ['env', *(f'{key}={value}' for key, value in self.linked.items()), program, name]
        with Process([*command, 'serve'], SERVER_CORE) as server:
            return Process([*command, 'call', server.port(), in_flight, self.bench.seconds], LOAD_CORE).result()
