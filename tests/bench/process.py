"""The processes of the bench: pinned to a core, ended by id, never outliving the driver."""
import ctypes
import json
import os
import resource
import select
import signal
import subprocess
import time

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_alive = []

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE = CORES[0]
LOAD_CORE = CORES[1 % len(CORES)]
HOST_CORE = CORES[2 % len(CORES)] if len(CORES) > 2 else LOAD_CORE  # of a queued door's consumer


class Failed(Exception):
    """A program of the bench ended or stayed silent; the text says which and why."""


class Process:
    def __init__(self, command, core, nice=0, stdin=False, cores=None):
        self.name = os.path.basename(str(command[0]))
        self._rest = b''

        def prepare():
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            os.sched_setaffinity(0, cores or {core})
            os.nice(nice)
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

        self._popen = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE,
                                       stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                       preexec_fn=prepare, start_new_session=True)
        _alive.append(self)

    @property
    def pid(self):
        return self._popen.pid

    def line(self, timeout=60):
        """The next line of its output."""
        end = time.monotonic() + timeout
        out = self._popen.stdout.fileno()
        while b'\n' not in self._rest:
            if not select.select([out], [], [], max(0, end - time.monotonic()))[0]:
                raise Failed(f'{self.name} said nothing for {timeout} s')
            got = os.read(out, 65536)
            if not got:
                raise Failed(f'{self.name} ended with code {self._popen.wait()}')
            self._rest += got
        line, self._rest = self._rest.split(b'\n', 1)
        return line.decode()

    def expect(self, word, timeout=60):
        line = self.line(timeout)
        if not line.startswith(word):
            raise Failed(f'{self.name} said {line!r}, not {word!r}')
        return line[len(word):].strip()

    def port(self):
        return int(self.expect('port'))

    def result(self, timeout=60):
        """Its line of JSON, after which it ends by itself."""
        line = self.line(timeout)
        while not line.startswith('{'):
            line = self.line(timeout)
        self._popen.wait(timeout=10)
        _alive.remove(self)
        return json.loads(line)

    def write(self, text):
        self._popen.stdin.write(text.encode())
        self._popen.stdin.flush()

    def interrupt(self):
        self._popen.send_signal(signal.SIGINT)

    def end(self):
        if self in _alive:
            _alive.remove(self)
        self._popen.kill()
        self._popen.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def end_all():
    for process in list(_alive):
        process.end()
