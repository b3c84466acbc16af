"""The example programs `channel`, `share` and `mesh`, which are the same in several
languages, as processes of one host. Used by the tests of those languages."""
import contextlib
import subprocess
import tempfile
import threading


class Stage:
    """Programs that run in one runtime directory."""

    def __init__(self, programs, check, place):
        self.programs, self.check, self.place, self.running = programs, check, place, []

    def begin(self, name, first):
        process = subprocess.Popen([self.programs / name, 'try', self.place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.running.append(process)
        self.check(process.stdout.readline().startswith(first), f'{name} did not begin')
        return process

    def says(self, process, line):
        process.stdin.write(line + '\n')
        process.stdin.flush()

    def hears(self, process, want):
        self.check((line := process.stdout.readline()) == want + '\n', f'{line!r} in place of {want!r}')

    def kill(self):
        for process in self.running:
            process.kill()


@contextlib.contextmanager
def stage(programs, check):
    """All that live at the end must end well."""
    with tempfile.TemporaryDirectory() as place:
        it = Stage(programs, check, place)
        stop = threading.Timer(60, it.kill)  # a read that waits ends, too
        stop.start()
        try:
            yield it
            for process in it.running:
                if process.poll() is None:
                    process.stdin.close()
                    check(process.wait(timeout=30) == 0, 'a program failed at its end')
        finally:
            stop.cancel()
            it.kill()
            for process in it.running:
                process.wait()


def play(programs, check):
    """Processes of one host: they talk in a channel, then share a leader, which is killed."""
    with stage(programs, check) as s:
        one, other = s.begin('channel', 'joined'), s.begin('channel', 'joined')
        s.says(one, 'hello')
        s.hears(other, 'line.read: hello')
        leader, follower = s.begin('share', 'leads: epoch 1'), s.begin('share', 'follows: epoch 1')
        s.says(follower, 'one')
        s.hears(follower, f'one says process {leader.pid}')
        leader.kill()
        leader.wait()
        s.hears(follower, 'leads: epoch 2')
        s.says(follower, 'two')
        s.hears(follower, f'two says process {follower.pid}')


def mesh(programs, check):
    """Processes of a mesh: calls go round, to all, and on without one that is killed."""
    with stage(programs, check) as s:
        first, second = s.begin('mesh', 'joined'), s.begin('mesh', 'others that serve words: 1')
        s.hears(first, 'others that serve words: 1')
        s.hears(second, 'joined')

        def heard():
            return {first.stdout.readline().strip(), first.stdout.readline().strip()}

        for line in ('what is this', 'and that again'):
            s.says(first, line)
        words = heard()
        check(words == {f'3 words, says process {p.pid}' for p in (first, second)}, str(words))
        s.says(first, 'all of them')
        words = heard()
        check(words == {f'2 words, says process {p.pid}' for p in (first, second)}, str(words))
        s.hears(first, 'asked: 2 none failed')
        second.kill()
        second.wait()
        s.hears(first, 'others that serve words: 0')
        s.says(first, 'alone now')
        s.hears(first, f'2 words, says process {first.pid}')
