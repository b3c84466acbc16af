"""The example programs `channel` and `share`, which are the same in several
languages, as processes of one host. Used by the tests of those languages."""
import subprocess
import tempfile
import threading


def play(programs, check):
    """Processes of one host: they talk in a channel, then share a leader, which is killed."""
    with tempfile.TemporaryDirectory() as place:
        def begin(name, first):
            process = subprocess.Popen([programs / name, 'try', place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            running.append(process)
            check(process.stdout.readline().startswith(first), f'{name} did not begin')
            return process

        def says(process, line):
            process.stdin.write(line + '\n')
            process.stdin.flush()

        def hears(process, want):
            check((line := process.stdout.readline()) == want + '\n', f'{line!r} in place of {want!r}')

        running, stop = [], threading.Timer(60, lambda: [p.kill() for p in running])  # a read that waits ends, too
        stop.start()
        try:
            one, other = begin('channel', 'joined'), begin('channel', 'joined')
            says(one, 'hello')
            hears(other, 'line.read: hello')
            leader, follower = begin('share', 'leads: epoch 1'), begin('share', 'follows: epoch 1')
            says(follower, 'one')
            hears(follower, f'one says process {leader.pid}')
            leader.kill()
            hears(follower, 'leads: epoch 2')
            says(follower, 'two')
            hears(follower, f'two says process {follower.pid}')
            for process in (one, other, follower):
                process.stdin.close()
                check(process.wait(timeout=30) == 0, 'a program failed at its end')
        finally:
            stop.cancel()
            for process in running:
                process.kill()
                process.wait()
