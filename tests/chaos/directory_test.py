"""A runtime directory on a disk that is full or read-only: who cannot open its
channel is told which file and why, those who are there already notice nothing,
and when there is room again starting works.

    directory_test.py AGENT        exit 77: this machine allows no mounts of ours"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'scenario'))
from agents import Agent, escape  # noqa: E402

PATIENCE = 30.0


class Member:
    def __init__(self, command, name, directory):
        self.agent = Agent(name, command, PATIENCE)
        self.ask('ctx')
        self.op = 0
        self.ask(f'channel m name={name.upper()} dir={escape(directory)}')

    def ask(self, line):
        status, facts = self.agent.ask(line)
        assert status in ('OK', 'BUFFERED'), f'{line}: {status} {facts}'

    def done(self, line):
        """The DONE of a verb."""
        self.op += 1
        self.ask(f'{line} op={self.op}')
        found = self.agent.wait(lambda events: next((e for e in events if e.kind == 'DONE' and e.facts['id'] == str(self.op)), None),
                                PATIENCE)
        assert found, f'no DONE of {line}: {self.agent.log[-10:]}'
        return found.facts

    def refused(self, status, *parts):
        facts = self.done('start m')
        assert facts.get('status') == status and all(p in facts['body'] for p in parts), facts
        print(f'{status}: {facts["body"]}')

    def starts(self):
        facts = self.done('start m')
        assert 'status' not in facts, facts

    def publishes(self):
        facts = self.done('publish m topic=e body=x')
        assert 'status' not in facts, facts


def main():
    folder = tempfile.mkdtemp(prefix='mw-disk-')
    # A disk of its own, in a mount namespace that ends with its last process.
    holder = subprocess.Popen(['unshare', '--mount', '--propagation', 'private', 'sh', '-c',
                               'mount -t tmpfs -o size=64k,mode=700 none "$0" && echo mounted && read end', folder],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    inside = ['nsenter', '--mount', '--target', str(holder.pid)]
    members = []

    def member(name):
        members.append(Member([*inside, os.path.abspath(sys.argv[1]), 'inline'], name, folder))
        return members[-1]

    def disk(script):
        subprocess.run([*inside, 'sh', '-c', script, folder], check=True, stderr=subprocess.DEVNULL)

    try:
        if holder.stdout.readline() != 'mounted\n':
            print('skipped: unshare --mount and mount are not permitted')
            sys.exit(77)
        disk('head -c 1000000 /dev/zero >"$0/fill" || true')
        a = member('a')
        a.refused('EIO', folder, 'full')
        disk('rm "$0/fill"; mount -o remount,ro "$0"')
        a.refused('EDENIED', folder, 'read-only')
        disk('mount -o remount,rw "$0"')
        a.starts()
        a.publishes()
        disk('head -c 1000000 /dev/zero >"$0/fill" || true')
        b = member('b')
        b.refused('EIO', folder, 'full')
        a.publishes()
        disk('rm "$0/fill"')
        b.starts()
        b.publishes()
        for m in members:
            m.ask('end')
            assert m.agent.quit() == 0
    finally:
        for m in members:
            m.agent.kill()
        holder.kill()
        holder.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
