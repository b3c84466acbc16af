"""Channels of a LAN between two network namespaces, over a wire that loses
datagrams: what was published arrives or is told as lost, to the member by the
gap and to the hub by its counters; in the clear and sealed, small and larger
than a datagram.

    namespaces_test.py AGENT        exit 77: this machine allows no namespaces

Each agent is the only process of its namespace, the relay holds the third one:
when they end nothing of all this is left."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'scenario'))
from agents import Agent, escape  # noqa: E402

PATIENCE = 60.0
GROUP, PORT = '239.255.44.54', '4454'
SECRET = 'sixteen bytes of it'


def skip(why):
    print('skipped: ' + why)
    sys.exit(77)


def ip(pid, *words):
    return subprocess.run(['nsenter', '--net', '--target', str(pid), 'ip', *words], capture_output=True, text=True)


class Wire:
    """Two namespaces, each with an agent, and the relay between them."""

    def __init__(self, agent):
        self.agents = [Agent(letter, ['unshare', '--net', agent, 'inline'], PATIENCE) for letter in 'ab']
        self.relay = subprocess.Popen(['unshare', '--net', 'sh', '-c', 'echo here; read go; exec "$0" "$@"', sys.executable, '-B',
                                       os.path.join(HERE, 'relay.py'), 'w0', 'w1'],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.relay.stdout.readline() == 'here\n'
        middle = self.relay.pid
        for i, a in enumerate(self.agents):
            pid = a.process.pid
            for words in (['link', 'add', f'w{i}', 'type', 'veth', 'peer', 'name', 'lan0', 'netns', str(pid)],
                          ['link', 'set', f'w{i}', 'up']):
                self.must(ip(middle, *words))
            for words in (['link', 'set', 'lo', 'up'], ['addr', 'add', f'10.77.0.{i + 1}/24', 'dev', 'lan0'],
                          ['link', 'set', 'lan0', 'up']):
                self.must(ip(pid, *words))
        self.relay.stdin.write('go\n')
        self.relay.stdin.flush()
        assert self.relay.stdout.readline() == 'ready\n'

    @staticmethod
    def must(done):
        if done.returncode != 0:
            skip('ip: ' + done.stderr.strip())

    def loss(self, percent):
        """From now on; how many datagrams of the first agent the wire has lost so far."""
        self.relay.stdin.write(f'loss {percent}\n')
        self.relay.stdin.flush()
        return int(self.relay.stdout.readline().split()[1])

    def end(self):
        for a in self.agents:
            a.kill()
        self.relay.kill()
        self.relay.wait()


class Host:
    """A hub and a member of channel A, in one agent."""

    def __init__(self, agent, directory, secret):
        self.agent, self.op = agent, 10
        agent.begin()
        self.ask('ctx')
        own = {'dir': directory, 'channels': '{"A":{"multicast":true}}', 'multicast.enabled': 'true', 'multicast.address': GROUP,
               'multicast.port': PORT, 'multicast.interface': 'lan0', 'link.secret': secret}
        os.makedirs(directory, mode=0o700)
        self.ask('hub h ' + ' '.join(f'{k}={escape(v)}' for k, v in own.items()))
        self.ask(f'channel m name=A dir={escape(directory)}')
        for name in ('h', 'm'):
            self.ask(f'start {name} op=1')
            self.done(name, 1)
        self.ask('subscribe m pattern=.*')

    def ask(self, line):
        status, facts = self.agent.ask(line)
        assert status in ('OK', 'BUFFERED'), f'{line[:200]}: {status} {facts}'

    def await_event(self, find):
        found = self.agent.wait(lambda events: next((e for e in events if find(e)), None), PATIENCE)
        assert found, self.agent.log[-20:]
        return found

    def done(self, name, op):
        e = self.await_event(lambda e: e.object == name and e.kind == 'DONE' and e.facts['id'] == str(op))
        assert e.facts.get('status', 'OK') == 'OK', e.line
        return e

    def publish(self, topic, body):
        """Publishes and waits until it has left: DONE also says that the LAN has it."""
        self.op += 1
        self.ask(f'publish m topic={topic} body={body} op={self.op}')
        self.done('m', self.op)

    def lan(self):
        self.op += 1
        self.ask(f'info h what=lan op={self.op}')
        return json.loads(self.done('h', self.op).facts['body'])

    def until(self, holds):
        """The facts of the LAN as soon as they are so. Each second brings a beat, so events wake us."""
        for _ in range(400):
            facts = self.lan()
            if holds(facts):
                return facts
            self.agent.wait(lambda events: None, 0.1)
        raise AssertionError(f'not so: {facts}')

    def end(self):
        status, _ = self.agent.ask('end')
        assert status == 'OK'


def lossy(wire, tmp, secret, size, count, percent):
    """count events of so many bytes from a to b; how many came, were told to the member, were lost as datagrams."""
    a = Host(wire.agents[0], os.path.join(tmp, 'a'), secret)
    b = Host(wire.agents[1], os.path.join(tmp, 'b'), secret)
    me = a.lan()['id']
    b.until(lambda f: any(s['id'] == me for s in f['senders']))
    a.publish('e', 'first')  # counting begins with the first event heard
    b.await_event(lambda e: e.object == 'm' and e.kind == 'MESSAGE' and e.facts['body'] == 'first')
    before = wire.loss(percent)
    for i in range(count):
        a.publish(f'e{i}', f'@{size}')
    lost = wire.loss(0) - before
    a.publish('e', 'last')
    b.await_event(lambda e: e.object == 'm' and e.kind == 'MESSAGE' and e.facts['body'] == 'last')
    facts = b.until(lambda f: sum(s['lost'] for s in f['senders'] if s['id'] == me) == lost)
    events = [e for e in b.agent.events if e.object == 'm']
    came = [int(e.facts['topic'][1:]) for e in events if e.kind == 'MESSAGE' and e.facts['topic'] != 'e']
    told = sum(int(e.facts['code']) for e in events if e.kind == 'DROPPED')
    assert came == sorted(set(came)), 'doubled or out of order'
    assert len(came) + told == count, f'{len(came)} came, {told} told as lost, {count} sent'
    if percent == 0:
        assert told == 0
    else:
        assert lost > 0 and told > 0, 'the wire lost nothing'
        hub = b.await_event(lambda e: e.object == 'h' and e.kind == 'DROPPED' and me in e.facts.get('meta', ''))
        assert hub.facts['status'] == 'EDROPPED', hub.line
    assert facts['refused']['forged'] == facts['refused']['malformed'] == 0, facts
    print(f'{"sealed" if secret else "clear":6} {size:>6} B: {count} sent, {len(came)} came, {told} told; '
          f'{lost} datagrams lost, {facts["lost"]} told by the hub')
    a.end()
    b.end()
    for d in ('a', 'b'):
        shutil.rmtree(os.path.join(tmp, d))


def main():
    if subprocess.run(['unshare', '--net', 'true'], capture_output=True).returncode != 0:
        skip('unshare --net is not permitted')
    tmp = tempfile.mkdtemp(prefix='mw-lan-')
    wire = Wire(sys.argv[1])
    try:
        for secret in ('', SECRET):
            lossy(wire, tmp, secret, 100, 50, 0)
            lossy(wire, tmp, secret, 100, 300, 10)
            lossy(wire, tmp, secret, 10_000, 60, 10)
    finally:
        wire.end()
        shutil.rmtree(tmp, ignore_errors=True)


if __name__ == '__main__':
    main()
