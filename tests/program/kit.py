"""What the tests of the program share: a process whose lines one waits for,
free of sleeps, and a runner that counts. Python's standard library only."""
import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = pathlib.Path(os.environ.get("MW_BUILD", "build/release"))
PROGRAM = str(BUILD / "meshwork")
LIMIT = 20  # seconds any one wait may take

_tests = []
_running = []


def test(function):
    _tests.append(function)
    return function


class Lines:
    """Lines of a pipe, as they come."""

    def __init__(self, pipe):
        self.fd, self.rest, self.seen, self.ended = pipe.fileno(), b"", [], False
        self._pipe = pipe

    def read(self, timeout):
        """One more read; False when nothing came in time or nothing will come."""
        if self.ended or not select.select([self.fd], [], [], timeout)[0]:
            return False
        got = os.read(self.fd, 1 << 16)
        self.ended = not got
        *lines, self.rest = (self.rest + got).split(b"\n")
        if self.ended and self.rest:
            lines.append(self.rest)
        self.seen += [line.decode("utf-8", "surrogateescape") for line in lines]
        return True


class Process:
    def __init__(self, *words, stdin=subprocess.PIPE, program=PROGRAM, **more):
        self.words = [program, *map(str, words)]
        self.child = subprocess.Popen(self.words, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                      start_new_session=True, **more)
        self.out, self.err = Lines(self.child.stdout), Lines(self.child.stderr)
        _running.append(self)

    def wait_line(self, part, where="err", after=0):
        """The first line holding `part`, waiting for it."""
        lines = getattr(self, where)
        until, at = time.monotonic() + LIMIT, after
        while True:
            while at < len(lines.seen):
                if part in lines.seen[at]:
                    return lines.seen[at]
                at += 1
            if not lines.read(max(0, until - time.monotonic())):
                raise AssertionError(f"no line with {part!r} from {self.words}\n  out {self.out.seen}\n  err {self.err.seen}")

    def write(self, text):
        self.child.stdin.write(text.encode() if isinstance(text, str) else text)
        self.child.stdin.flush()

    def close_input(self):
        self.child.stdin.close()

    def signal(self, number):
        self.child.send_signal(number)

    def end(self):
        """Exit code, after reading all it still says."""
        until = time.monotonic() + LIMIT
        while not (self.out.ended and self.err.ended):
            left = until - time.monotonic()
            open_fds = [l.fd for l in (self.out, self.err) if not l.ended]
            ready = select.select(open_fds, [], [], max(0, left))[0]
            if not ready:
                raise AssertionError(f"{self.words} does not end\n  out {self.out.seen}\n  err {self.err.seen}")
            for lines in (self.out, self.err):
                if lines.fd in ready:
                    lines.read(0)
        return self.child.wait(max(0.1, until - time.monotonic()))

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            try:
                if pipe:
                    pipe.close()
            except OSError:
                pass


def run(*words, text=None, **more):
    """Runs to the end: (exit code, standard output, standard error)."""
    p = Process(*words, stdin=subprocess.PIPE if text is not None else subprocess.DEVNULL, **more)
    if text is not None:
        p.write(text)
        p.close_input()
    code = p.end()
    return code, "\n".join(p.out.seen), "\n".join(p.err.seen)


class Provider(Process):
    """`meshwork provide` on a free port, listening."""

    def __init__(self, *words, **more):
        super().__init__("provide", "--port", 0, *words, **more)
        self.url = next(w for w in self.wait_line("listening on").split() if "://" in w).rstrip("/")
        self.port = int(self.url.split(":")[2].split("/")[0])


def consume(provider, *words, **more):
    return Process("consume", provider.url, *words, **more)


def here(folder):
    return "-m", "try", "-o", "dir=" + os.path.join(folder, "run"), "-o", "registry.scan=50ms"


def serving(folder, service, command, *words):
    p = Process("serve", service, "--exec", command, *words, *here(folder))
    p.wait_line("serves " + service)
    return p


def call(folder, *words, **more):
    return run("call", *words, "--wait", LIMIT, *here(folder), **more)


def leaves(p):
    p.signal(signal.SIGINT)
    equal(p.end(), 0, p.words)


def pages(p):
    """Its lines of JSON, as they come; not for ever, whatever one looks for in them."""
    until, at = time.monotonic() + 3 * LIMIT, 0
    while time.monotonic() < until:
        p.wait_line("", "out", at)
        yield json.loads(p.out.seen[at])
        at += 1
    raise AssertionError(f"{p.words} does not tell it\n  last {p.out.seen[-1:]}\n  err {p.err.seen}")


def screen(fd, wanted, seen=b""):
    """What a terminal gets, until it holds all that is wanted."""
    until = time.monotonic() + LIMIT
    while not all(w in seen for w in wanted):
        if not select.select([fd], [], [], max(0, until - time.monotonic()))[0]:
            raise AssertionError(f"{wanted} does not come: {seen}")
        seen += os.read(fd, 1 << 16)
    return seen


def ends_as_it_was(*words, shown, then=lambda near: None, told=b""):
    """On a terminal: draws over it until Ctrl-C, and gives it back; what was told is there then, too. near: its user's end."""
    near, far = pty.openpty()
    child = subprocess.Popen([PROGRAM, *words], stdin=far, stdout=far, stderr=far, start_new_session=True)
    try:
        os.close(far)
        screen(near, [b"\x1b[?1049h", *shown])
        then(near)
        screen(near, [told] if told else [])
        child.send_signal(signal.SIGINT)
        after = screen(near, [b"\x1b[?1049l"]).split(b"\x1b[?1049l")[1]
        screen(near, [told] if told else [], after)
        equal(child.wait(LIMIT), 0)
    finally:
        child.kill()
        child.wait()
        os.close(near)


def certificate(folder):
    """(certificate, key): self-signed, for localhost and 127.0.0.1."""
    cert, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def holds(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def main():
    """Runs every test whose name holds one of the arguments; counts."""
    passed = failed = 0
    for function in _tests:
        if len(sys.argv) > 1 and not any(word in function.__name__ for word in sys.argv[1:]):
            continue
        begin = time.monotonic()
        try:
            with tempfile.TemporaryDirectory() as folder:
                function(folder) if function.__code__.co_argcount else function()
            passed += 1
            print(f"ok      {function.__name__} ({time.monotonic() - begin:.2f} s)")
        except Exception:
            failed += 1
            print(f"FAILED  {function.__name__}")
            traceback.print_exc(file=sys.stdout)
        finally:
            while _running:
                _running.pop().kill()
        sys.stdout.flush()
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed or not passed else 0)
