"""The package cluster-client and our shares on one port: each follows the
other, and each takes over when the other is killed.

usage: cluster_client.py --agent SCENARIO_AGENT --folder FOLDER (with node_modules)
Prints "ok WHAT" or "fail WHAT" a check; for run.py."""
import argparse
import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, '..', 'scenario'))
from agents import Agent, escape  # noqa: E402

PATIENCE = 20


def check(good, what):
    print(f'{"ok" if good else "fail"} {what}', flush=True)


def parts(*encoded):
    return ''.join(chr(len(e) & 255) + chr(len(e) >> 8) + '\0\0' + e for e in encoded)


def word(text):
    """A string of ASCII in serialize-json."""
    return text.replace(' ', '+') + '^^^^0'


class Ours:
    """One process with one share, driven as a scenario drives it."""

    def __init__(self, agent, port):
        self.agent = Agent('o', [agent, 'run'], PATIENCE)
        self.ask('ctx')
        self.ask(f'share s preset=cluster-client name=N port={port}')
        self.ask('start s op=1')
        self.see('UP')

    def ask(self, line):
        status, facts = self.agent.ask(line)
        if status not in ('OK', 'BUFFERED'):
            raise RuntimeError(f'{line}: {status} {facts}')

    def see(self, kind, **want):
        """The next event of this kind that holds this."""
        def find(events):
            for e in events:
                if not e.seen and e.kind == kind and all(e.facts.get(k, '0' if k == 'code' else '') == v for k, v in want.items()):
                    return e
            return None
        e = self.agent.wait(find, PATIENCE)
        if e is None:
            raise RuntimeError(f'no {kind} {want}\n' + '\n'.join(self.agent.log[-20:]))
        e.seen = True
        return e.facts

    def call(self, method, *encoded):
        self.ask(f'call s target={method} op=9 flags=PARTS body={escape(parts(*encoded))}')
        return self.see('DONE', id='9')

    def leads(self):
        return any(e.kind == 'LEADER' and e.facts.get('code') == '1' for e in self.agent.events)


class Theirs:
    def __init__(self, folder, port):
        self.process = subprocess.Popen([shutil.which('node'), os.path.join(folder, 'cluster_client.mjs'), str(port), 'N'],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()
        self.see('ready')

    def read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def do(self, what, *args):
        self.process.stdin.write(json.dumps({'do': what, 'args': args}) + '\n')
        self.process.stdin.flush()

    def see(self, what):
        passed = []
        while True:
            try:
                told = self.lines.get(timeout=PATIENCE)
            except queue.Empty:
                raise RuntimeError(f'the package told no {what}, but {passed}')
            if told['is'] == what:
                return told
            passed.append(told)

    def kill(self):
        self.process.kill()
        self.process.wait()


def they_follow(ours, theirs, when):
    """Our share leads."""
    theirs.do('subscribe', {'id': 1})
    ours.see('INTEREST', topic='{"id":1}', code='1')
    ours.ask(f'publish s topic={escape(json.dumps({"id": 1}, separators=(",", ":")))} body={escape(word("a value"))}')
    check(theirs.see('value')['value'] == 'a value', f'{when}: the package gets our value')
    theirs.do('echo', 'x', 'y z')
    asked = ours.see('REQUEST', topic='echo')
    check(asked['body'] == parts(word('x'), word('y z')), f'{when}: its arguments come to us one by one')
    ours.ask(f'reply {asked["id"]} body={escape(word("done"))}')
    check(theirs.see('result').get('result') == 'done', f'{when}: our answer is its result')
    theirs.do('refuse', 'why')
    asked = ours.see('REQUEST', topic='refuse')
    ours.ask(f'fail {asked["id"]} json=' + escape('{"name":"RangeError","message":"too far","code":"E2"}'))
    check(theirs.see('result').get('failed') == {'name': 'RangeError', 'message': 'too far', 'code': 'E2'},
          f'{when}: our failure is its error')
    theirs.do('oneway', 'n')
    check(ours.see('REQUEST', topic='note')['body'] == parts(word('n')), f'{when}: its oneway call comes')
    theirs.do('unSubscribe', {'id': 1})
    ours.see('INTEREST', topic='{"id":1}', id='1')
    check(True, f'{when}: its unsubscribing is heard')


def we_follow(ours, theirs, when):
    """The package leads."""
    ours.ask(f'subscribe s pattern={escape(json.dumps({"k": "v"}, separators=(",", ":")))} op=5')
    theirs.see('asked')
    theirs.do('push', {'k': 'v'}, 'pushed')
    check(ours.see('MESSAGE', topic='{"k":"v"}')['body'] == word('pushed'), f'{when}: we get the package\'s value')
    got = ours.call('echo', word('one'), word('two'))
    check(got['body'] == 'args|one|two^^^^$0|@1|2|-3]]', f'{when}: its result of our call is as it encodes it')
    failed = json.loads(ours.call('refuse', word('no way'))['body'])
    check([failed[k] for k in ('name', 'message', 'code')] == ['TypeError', 'no way', 'E1'], f'{when}: its error keeps name, message, code')
    ours.ask(f'call s target=note op=6 flags=ONEWAY+PARTS body={escape(parts(word("quiet")))}')
    told = theirs.see('asked')
    check(told['method'] == 'note' and told['args'][0] == 'quiet', f'{when}: our oneway call comes')


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--agent', required=True)
    p.add_argument('--folder', required=True)
    args = p.parse_args()
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    living = []

    def ours():
        living.append(Ours(args.agent, port))
        return living[-1]

    def theirs():
        living.append(Theirs(args.folder, port))
        return living[-1]
    try:
        a = ours()
        check(a.leads(), 'we bind the port and lead')
        o = theirs()
        they_follow(a, o, 'we lead')
        o.do('subscribe', {'id': 2})
        a.see('INTEREST', topic='{"id":2}', code='1')
        o.do('publish', {'p': 1})
        a.see('REQUEST', topic='publish')
        a.agent.kill()
        o.see('leader')
        told = [o.see('asked')['method'], o.see('asked')['method']]
        check(sorted(told) == ['publish', 'subscribe'], 'we are killed: the package leads, subscribes and publishes again')
        b = ours()
        check(not b.leads(), 'who comes then follows the package')
        we_follow(b, o, 'the package leads')
        o.kill()
        b.see('LEADER', code='1')
        b.see('UP')
        b.see('INTEREST', topic='{"k":"v"}', code='1')
        check(True, 'the package is killed: we lead, the subscription holds')
        o = theirs()
        they_follow(b, o, 'after two changes')
    except Exception as e:  # noqa: BLE001: whatever it is, the run has failed
        check(False, f'{type(e).__name__}: {e}')
        return 1
    finally:
        for one in living:
            (one.agent if isinstance(one, Ours) else one).kill()
    return 0


if __name__ == '__main__':
    sys.exit(main())
