"""Six nodes on two hosts, and the wire between the hosts is cut: both sides go
on serving, take the other side for dead, and when the wire is back all know all
again, nobody besides, and call across it.

    partition_test.py AGENT        exit 77: this machine allows no namespaces

A host is a network namespace with one agent, which is its only process: when it
ends nothing of the namespace is left. Addresses are on the loopback device, so
that a host keeps its own when its wire is down."""
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'scenario'))
from agents import Agent, escape  # noqa: E402

PATIENCE = 90.0
SIDE = 3
NAMES = ['abc', 'xyz']


def skip(why):
    print('skipped: ' + why)
    sys.exit(77)


class Refused(Exception):
    """The machine does not let us; while setting up that is no failure."""


def ip(pid, words):
    done = subprocess.run(['nsenter', '--net', '--target', str(pid), 'ip', *words.split()], capture_output=True, text=True)
    if done.returncode != 0:
        raise Refused(f'ip {words}: {done.stderr.strip()}')


class Side:
    def __init__(self, number, agent):
        self.number, self.op = number, 10
        self.agent = Agent('ab'[number], ['unshare', '--net', agent, 'inline'], PATIENCE)
        self.pid = self.agent.process.pid

    def address(self):
        ip(self.pid, 'link set lo up')
        ip(self.pid, f'addr add 10.77.1.{self.number + 1}/32 dev lo')
        ip(self.pid, f'addr add 10.78.0.{self.number + 1}/30 dev lan0')

    def plug(self, on):
        if not on:
            return ip(self.pid, 'link set lan0 down')
        ip(self.pid, 'link set lan0 up')
        ip(self.pid, f'route replace 10.77.1.{2 - self.number}/32 via 10.78.0.{2 - self.number} src 10.77.1.{self.number + 1}')

    def ask(self, line):
        status, facts = self.agent.ask(line)
        assert status in ('OK', 'BUFFERED'), f'{line[:200]}: {status} {facts}'
        return facts

    def await_event(self, what, find):
        found = self.agent.wait(lambda events: next((e for e in events if not e.seen and find(e)), None), PATIENCE)
        assert found, f'{what}\n' + '\n'.join(self.agent.log[-30:])
        found.seen = True
        return found

    def begin(self):
        self.agent.begin()
        self.ask('ctx')
        seeds = ','.join(f'10.77.1.{h}:{7000 + i}' for h in (1, 2) for i in range(SIDE))
        for i, name in enumerate(NAMES[self.number]):
            own = {'cluster.deployment': 'D', 'member.name': name, 'registry': 'gossip', 'host': f'10.77.1.{self.number + 1}',
                   'port': str(7000 + i), 'seeds': seeds, 'link.secret': 'sixteen bytes of it', 'registry.scan': '500ms',
                   'member.service': 'S' + str(self.number), 'route.local_first': 'false'}
            self.ask(f'node {name} ' + ' '.join(f'{k}={escape(v)}' for k, v in own.items()))
            self.ask(f'serve {name} name=words as=s{name}')
            self.ask(f'hook s{name} kind=REQUEST do=reply%20$id%20body%3D{name}')
            self.ask(f'start {name} op=1')
        for name in NAMES[self.number]:
            self.await_event(f'{name} is up', lambda e, n=name: e.object == n and e.kind == 'UP')

    def all_see(self, kind, others, what):
        """Each node of this side hears so of each of those, `kind` and the name."""
        for name in NAMES[self.number]:
            for other in others:
                if other != name:
                    self.await_event(f'{name}: {kind} {other}, {what}', lambda e, n=name, o=other: e.object == n and e.kind == kind
                                     and f'"name":"{o}"' in e.facts.get('body', ''))

    def members(self, count):
        for name in NAMES[self.number]:
            holds = lambda n=name: json.loads(self.ask(f'info {n}')['body'])['members'] == count  # noqa: E731
            end = time.monotonic() + PATIENCE
            while not holds():
                assert time.monotonic() < end, f'{name} does not know {count}\n' + '\n'.join(self.agent.log[-30:])
                self.agent.wait(lambda events: None, 0.2)

    def calls(self, only, count):
        """Every node calls each of those; all are answered."""
        for name in NAMES[self.number]:
            for other in only:
                for _ in range(count):
                    self.op += 1
                    op = str(self.op)
                    self.ask(f'call {name} target=words.x only={other} retry.safe=true op={op} ms=60000 body=x')
                    done = self.await_event(f'{name} calls {other}', lambda e, n=name, o=op: e.object == n and e.kind == 'DONE'
                                            and e.facts.get('id') == o)
                    assert done.facts.get('status', 'OK') == 'OK' and done.facts['body'] == other, done.line


def main():
    if subprocess.run(['unshare', '--net', 'true'], capture_output=True).returncode != 0:
        skip('unshare --net is not permitted')
    sides = []
    try:
        for i in (0, 1):
            sides.append(Side(i, sys.argv[1]))
        a, b = sides
        try:
            ip(a.pid, f'link add lan0 type veth peer name lan0 netns {b.pid}')
            for s in sides:
                s.address()
            for s in sides:
                s.plug(True)
        except Refused as why:
            skip(str(why))
        for s in sides:
            s.begin()
        everybody = ''.join(NAMES)
        for s in sides:
            s.all_see('MEMBER_UP', everybody, 'at the start')
            s.members(2 * SIDE)
            s.calls(everybody, 1)
        began = time.monotonic()
        a.plug(False)
        for s in sides:
            s.calls(NAMES[s.number], 5)
        print(f'cut: both sides call among themselves after {time.monotonic() - began:.1f} s')
        for s in sides:
            s.all_see('MEMBER_DOWN', NAMES[1 - s.number], 'while the wire is cut')
            s.members(SIDE)
        print(f'cut: each side takes the other for dead after {time.monotonic() - began:.1f} s')
        for s in sides:
            s.calls(NAMES[s.number], 5)
        began = time.monotonic()
        a.plug(True)
        b.plug(True)
        for s in sides:
            s.all_see('MEMBER_UP', NAMES[1 - s.number], 'when the wire is back')
            s.members(2 * SIDE)
        print(f'healed: all know all after {time.monotonic() - began:.1f} s')
        for s in sides:
            s.calls(everybody, 2)
            s.members(2 * SIDE)
        print('1 passed, 0 failed, 0 skipped')
    finally:
        for s in sides:
            s.agent.kill()


main()
