"""One agent process: lines in, answers and events out. README.md has the protocol."""
import os
import queue
import subprocess
import threading
import time
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes


class AgentError(Exception):
    pass


@dataclass
class Event:
    object: str
    kind: str
    facts: dict
    line: str
    seen: bool = False


def escape(value):
    """A str of bytes (latin-1) as one word of the protocol."""
    out = []
    for i, c in enumerate(value):
        if c.isalnum() and ord(c) < 128 or (c in '-_.:/,{}[]"\'+*#$&?;()<>!~|^`\\=' ) or (c == '@' and i):
            out.append(c)
        else:
            out.append('%%%02X' % ord(c))
    return ''.join(out)


def facts_of(words):
    facts = {}
    for w in words:
        key, _, value = w.partition('=')
        facts[key] = unquote_to_bytes(value).decode('latin-1')
    return facts


class Agent:
    """Started once for a run of many scenarios; each opens and ends a context."""

    def __init__(self, letter, command, patience, env=None):
        self.letter, self.patience = letter, patience
        self.errors = open(os.path.join(os.environ.get('TMPDIR', '/tmp'), f'scenario-{os.getpid()}-{letter}.err'), 'w+b')
        os.unlink(self.errors.name)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors, env=env)
        self.answers = queue.Queue()
        self.changed = threading.Condition()
        self.events = []      # all of this scenario, in the order they came
        self.log = []
        self.hello = ''
        self.clean = None     # descriptors and threads after a context ended
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        deadline = time.monotonic() + patience * 4
        with self.changed:
            while not self.hello and self.process.poll() is None and time.monotonic() < deadline:
                self.changed.wait(0.1)
        if not self.hello:
            raise AgentError(f'agent {command} did not say hello: {self.stderr()}')

    def _read(self):
        for raw in self.process.stdout:
            line = raw.decode('latin-1').rstrip('\n')
            with self.changed:
                self.log.append(f'{self.letter} < {line[:300]}')
                if line.startswith('! '):
                    words = line[2:].split(' ')
                    self.events.append(Event(words[0], words[1], facts_of(words[2:]), line))
                elif line.startswith('= '):
                    self.answers.put(line[2:].split(' '))
                elif line.startswith('hello '):
                    self.hello = line[6:]
                else:
                    self.log.append(f'{self.letter} ? not of the protocol: {line[:300]}')
                self.changed.notify_all()
        self.answers.put(None)
        with self.changed:
            self.changed.notify_all()

    def ask(self, line, patience=None):
        """Sends one line; its status and facts."""
        self.log.append(f'{self.letter} > {line[:300]}')
        try:
            self.process.stdin.write(line.encode('latin-1') + b'\n')
            self.process.stdin.flush()
            words = self.answers.get(timeout=patience or self.patience * 3)
        except (BrokenPipeError, queue.Empty):
            raise AgentError(f'agent {self.letter} gave no answer to: {line[:200]}\n{self.stderr()}')
        if words is None:
            raise AgentError(f'agent {self.letter} ended (exit {self.process.wait()}) at: {line[:200]}\n{self.stderr()}')
        return words[0], facts_of(words[1:])

    def wait(self, find, patience):
        """The first result of find(events) that is not None; None after patience."""
        deadline = time.monotonic() + patience
        with self.changed:
            while True:
                found = find(self.events)
                if found is not None:
                    return found
                left = deadline - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not self.reader.is_alive()):
                    return None
                self.changed.wait(min(left, 0.5))

    def begin(self):
        with self.changed:
            self.events, self.log = [], []

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors='replace')[-8000:]

    def quit(self):
        """Ends the process as a user's would end; its exit code."""
        try:
            self.process.stdin.write(b'quit\n')
            self.process.stdin.flush()
            self.process.stdin.close()
        except (BrokenPipeError, ValueError):
            pass
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return 'hangs at exit'

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
