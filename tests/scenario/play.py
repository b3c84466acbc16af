"""Plays one scenario with two agents, or more, and checks what holds for every scenario:
each op one DONE, each handle one CLOSED and nothing after it, each peer one
PEER_DOWN, UP and DOWN in turn, no descriptor and no thread left."""
import json
import os
import re
import signal
import time

import lan
from agents import Agent, AgentError, escape
from carriers import word
from raw import RawError, RawPeer

_UNITS = {'KiB': 1024, 'MiB': 1 << 20, 'B': 1}
_OPENERS = ('provider', 'consumer', 'hub', 'channel', 'share', 'elect', 'node', 'manager')


class Failed(Exception):
    pass


def pattern(n):
    alphabet = 'abcdefghijklmnopqrstuvwxyz'
    return (alphabet * (n // 26 + 1))[:n]


def fnv(text):
    h = 2166136261
    for b in text.encode('latin-1'):
        h = (h ^ b) * 16777619 & 0xffffffff
    return h


def size(text):
    """'@64KiB' -> 65536, else None."""
    m = re.match(r'@(\d+)(KiB|MiB|B)?$', text)
    return int(m.group(1)) * _UNITS[m.group(2) or 'B'] if m else None


def shown(value):
    """How a body appears in an event line."""
    n = size(value)
    text = pattern(n) if n is not None else value
    return f'@{len(text)}:{fnv(text):08x}' if len(text) > 512 else text


class Play:
    """carrier: what everything runs over (carriers.py). further: commands of processes, by letter."""

    def __init__(self, scenario, agents, patience, places, carrier, further=None):
        self.s, self.agents, self.patience, self.carrier = scenario, agents, patience, carrier
        self.further = further or {}
        self.vars = dict(places)
        self.vars['keys'] = '$$inner$$__'  # what all keys of cluster-client begin with
        self.owner = {}          # object -> agent
        self.handles = []        # (agent, object) of opened providers and consumers
        self.ops = {}            # (letter, op) -> text of the step
        self.raws = {}
        self.casters = {}
        self.sockets = []
        self.more = {}           # further processes of this scenario, by letter
        self.ended = False

    # -- words
    def fill(self, text):
        def one(m):
            name = m.group(1) or m.group(2)
            if name in self.vars:
                return self.vars[name]
            owner, _, what = name.rpartition('.')
            if owner in self.raws and what in self.raws[owner].facts:
                return self.raws[owner].facts[what]
            raise Failed(f'no value for ${name}')
        return re.sub(r'\$\{([\w.]+)\}|\$(?!peer\b|id\b|body\b)([a-zA-Z_]\w*(?:\.\w+)?)', one, text)

    def agent_of(self, name):
        if name[0] == '#' or name == 'ctx' or name.startswith('token:'):
            return self.agents['a']
        if name in self.owner:
            return self.owner[name]
        base = name.split('.')[0]
        if base in self.owner:
            return self.owner[base]
        raise Failed(f'nobody is called {name}')

    def agent_at(self, letter):
        agent = self.more.get(letter) or self.agents.get(letter)
        if agent is None:
            raise Failed(f'no process is called {letter}')
        return agent

    def word(self, w):
        value = self.fill(w.value)
        n = size(value) if not w.quoted else None
        return f'{w.key}=' + (f'@{n}' if n is not None else escape(value))

    def text(self, w):
        """As word, for what this process sends itself."""
        value = self.fill(w.value)
        n = size(value) if not w.quoted else None
        return value if n is None else pattern(n)

    # -- conditions
    def holds(self, w, facts):
        key, want = w.key, self.fill(w.value)
        base, _, path = key.partition('.')
        if path and key not in facts:
            try:
                found = json.loads(facts.get(base, ''))
                for part in path.split('.'):
                    found = found[int(part)] if isinstance(found, list) else found[part]
                have = found if isinstance(found, str) else json.dumps(found)
            except (ValueError, KeyError, IndexError, TypeError):
                return False
        else:
            have = facts.get(key, 'OK' if key == 'status' else '0' if key in ('code', 'id', 'value') else '')
        if w.sign == '~':
            try:
                return re.search(want, have) is not None
            except re.error as e:
                raise Failed(f'{want!r} is no pattern: {e}')
        if w.sign == '!=':
            return have != want
        if w.sign in ('>=', '<='):
            try:
                return float(have) >= float(want) if w.sign == '>=' else float(have) <= float(want)
            except ValueError:
                return False
        if key == 'body' and not w.quoted and size(want) is not None:
            return have in (shown(want), pattern(size(want)))  # facts are told whole
        if key == 'flags':
            return sorted(have.split('+')) == sorted(want.split('+'))
        if not w.quoted and '|' in want:
            return have in want.split('|')
        return have == (shown(want) if key == 'body' else want)

    def split_within(self, step):
        within, conditions, into = self.patience, [], None
        for w in step.words:
            if w.key == 'within':
                within = float(w.value.rstrip('s')) * max(1, self.patience / 5)
            elif w.key == 'into':
                into = w.value
            else:
                conditions.append(w)
        return within, conditions, into

    # -- steps
    def play(self):
        letters = ['a'] if self.s.one else ['a', 'b']
        for letter in letters:
            a = self.agents[letter]
            a.begin()
            line = ' '.join(['ctx'] + [self.word(w) for w in self.s.ctx])
            status, facts = a.ask(line)
            if status != 'OK':
                raise Failed(f'{line}: {status} {facts.get("error", "")}')
        for step in self.s.steps:
            try:
                self.step(step)
            except (Failed, RawError, EOFError, OSError) as e:
                raise Failed(f'{step.where}: {step.text}\n      {e or type(e).__name__}')
        self.end()

    def step(self, step):
        name = 'do_' + step.verb.replace('-', '_')
        if hasattr(self, name):
            getattr(self, name)(step)
        else:
            self.verb(step)

    def send_line(self, agent, verb, args, words, text):
        words = sorted(words, key=lambda w: w.key != 'preset')  # must come first
        line = ' '.join([verb] + [self.fill(a) for a in args] + [self.word(w) for w in words])
        status, facts = agent.ask(line)
        op = next((self.fill(w.value) for w in words if w.key == 'op'), '0')
        if op != '0' and status in ('OK', 'BUFFERED', 'STORED') and 'body' not in facts and verb != 'cancel':
            if (agent.letter, op) in self.ops:
                raise Failed(f'op {op} is used twice')
            self.ops[agent.letter, op] = text
        return status, facts

    def verb(self, step):
        if step.verb == 'conf':
            agent = self.agents['a']
        elif step.verb in _OPENERS:
            where = next((w.value for w in step.words if w.key == 'in'), None)
            agent = self.agent_at(where or ('b' if step.verb == 'consumer' and not self.s.one else 'a'))
            step.words = [w for w in step.words if w.key != 'in']
        elif step.args and step.args[0] in ('a', 'b', 'ctx'):   # a verb on a context: `wait a`
            agent = self.agents['b' if step.args[0] == 'b' else 'a']
            step.args = ['ctx'] + step.args[1:]
        else:
            agent = self.agent_of(self.fill(step.args[0]))
        alias = step.get('as')
        if alias:
            self.owner[alias] = agent
        if step.verb in _OPENERS:
            self.owner[step.args[0]] = agent
            words = [word(w.key, self.fill(w.value)) if w.key == 'port' else w for w in step.words]
            step.words = self.carrier.words(step.verb, step.args[0], words) if step.verb in self.carrier.usual else words
        status, facts = self.send_line(agent, step.verb, step.args, step.words, f'{step.where}: {step.text}')
        if step.verb in _OPENERS and status == 'OK':
            self.handles.append((agent, step.args[0]))
        if step.verb == 'serve' and alias and status == 'OK':
            self.handles.append((agent, alias))
        wanted = (step.status or 'OK|BUFFERED').split('|')
        if status not in wanted:
            raise Failed(f'answered {status} {facts.get("error", "")}, wanted {"|".join(wanted)}')
        for w in step.answer:
            if w.key == 'into':
                self.vars[w.value] = facts.get('body', facts.get('value', ''))
            elif not self.holds(w, facts):
                raise Failed(f'the answer does not have {w.key}{w.sign}{w.value}: {facts}')

    def next_event(self, object, kind, within):
        agent = self.agent_of(object)

        def find(events):
            for e in events:
                if e.object == object and e.kind == kind and not e.seen:
                    return e
            return None
        e = agent.wait(find, within)
        if e is None:
            raise Failed(f'no {kind} of {object} came within {within:g} s')
        e.seen = True
        if kind == 'UP':
            body = e.facts.get('body', '')
            m = re.search(r'wss?://[^"\s]*?:(\d+)[^"\s,]*', body) or re.search(r'ws\+unix:([^":]+):[^"\s,]*', body)
            if m:
                self.vars[f'{object}.url'], self.vars[f'{object}.port'] = m.group(0), m.group(1)
        return e

    def do_expect(self, step):
        """expect OBJECT KIND conditions: the next event of this kind."""
        within, conditions, into = self.split_within(step)
        e = self.next_event(self.fill(step.args[0]), step.args[1], within)
        for w in conditions:
            if not self.holds(w, e.facts):
                raise Failed(f'{w.key}{w.sign}{w.value} does not hold in: {e.line[:600]}')
        if into:
            self.vars[into] = e.facts.get('body', '')

    def do_await(self, step):
        """await OBJECT KIND conditions: as expect, but passes over those that do not fit."""
        within, conditions, into = self.split_within(step)
        deadline = time.monotonic() + within
        while True:
            e = self.next_event(self.fill(step.args[0]), step.args[1], max(deadline - time.monotonic(), 0))
            if all(self.holds(w, e.facts) for w in conditions):
                if into:
                    self.vars[into] = e.facts.get('body', '')
                return

    def do_collect(self, step):
        """collect OBJECT KIND N conditions: N events, each of which holds."""
        within, conditions, _ = self.split_within(step)
        for i in range(int(self.fill(step.args[2]))):
            e = self.next_event(step.args[0], step.args[1], within)
            for w in conditions:
                want = w.value.replace('$i', str(i))
                if not self.holds(type(w)(w.key, w.sign, want, w.quoted), e.facts):
                    raise Failed(f'number {i}: {w.key}{w.sign}{want} does not hold in: {e.line[:300]}')

    def do_none(self, step):
        """none OBJECT KIND conditions: none that was not expected has come so far."""
        agent = self.agent_of(step.args[0])
        with agent.changed:
            for e in agent.events:
                if e.object == step.args[0] and e.kind == step.args[1] and not e.seen and \
                        all(self.holds(w, e.facts) for w in step.words):
                    raise Failed(f'there is one: {e.line[:300]}')

    def do_order(self, step):
        """order OBJECT KIND KIND ...: everything that came of it so far, LOG and WRITABLE aside."""
        agent = self.agent_of(step.args[0])
        with agent.changed:
            have = [e.kind for e in agent.events if e.object == step.args[0] and e.kind not in ('LOG', 'WRITABLE', 'HOOK')]
        if have != step.args[1:]:
            raise Failed('it was: ' + ' '.join(have))

    def do_times(self, step):
        """times N VERB ...: the same call N times; $i counts."""
        n, verb, args = int(step.args[0]), step.args[1], step.args[2:]
        agent = self.agent_of(self.fill(args[0]))
        for i in range(n):
            self.vars['i'] = str(i)
            status, facts = self.send_line(agent, verb, args, step.words, step.text)
            if status not in (step.status or 'OK|BUFFERED').split('|'):
                raise Failed(f'number {i} answered {status} {facts.get("error", "")}')

    def do_until(self, step):
        """until STATUS VERB ... [max=N]: the same call until it answers so; $n says how often it did not."""
        status, verb, args = step.args[0], step.args[1], step.args[2:]
        limit = int(step.get('max', '10000'))
        words = [w for w in step.words if w.key != 'max']
        agent = self.agent_of(self.fill(args[0]))
        for i in range(limit):
            self.vars['i'] = str(i)
            got, _ = self.send_line(agent, verb, args, words, step.text)
            if got in status.split('|'):
                self.vars['n'] = str(i)
                return
            if got not in ('OK', 'BUFFERED'):
                raise Failed(f'number {i} answered {got}')
        raise Failed(f'never answered {status}')

    def do_full(self, step):
        """full STATUS VERB ...: as until, again and again until the kernel takes no more: the bytes waiting stay for 50 ms."""
        agent, object, n = self.agent_of(self.fill(step.args[2])), self.fill(step.args[2]), 0

        def waiting():
            return int(agent.ask(f'stat {object} what=BUFFERED')[1].get('value', '0'))
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            self.do_until(step)
            n += int(self.vars['n'])
            before = waiting()
            time.sleep(0.05)
            if before > 0 and waiting() == before:
                self.vars['n'] = str(n)
                return
        raise Failed('the kernel took all that was sent')

    def do_poll(self, step):
        """poll VERB ... -> STATUS conditions: asks again until the answer fits (a fact that no event tells)."""
        if step.args[0] == 'http':
            return self.poll_http(step)
        deadline, agent = time.monotonic() + self.patience, self.agent_of(self.fill(step.args[1]))
        while True:
            status, facts = self.send_line(agent, step.args[0], step.args[1:], step.words, step.text)
            if status in (step.status or 'OK').split('|') and all(self.holds(w, facts) for w in step.answer):
                return
            if time.monotonic() > deadline:
                raise Failed(f'still answers {status} {facts}')
            time.sleep(0.002)

    def poll_http(self, step):
        deadline, step.args = time.monotonic() + self.patience, step.args[1:]
        while True:
            try:
                return self.do_http(step)
            except Failed:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.002)

    def do_hook(self, step):
        """hook OBJECT KIND VERB ...: a call made inside the callback (or while the record is looked at)."""
        object, kind, verb, args = step.args[0], step.args[1], step.args[2], step.args[3:]
        line = ' '.join([verb] + [self.fill(a) for a in args] + [self.word(w) for w in step.words])
        packed = ''.join('%%%02X' % ord(c) if c in ' %=' else c for c in line)
        self.agent_of(object).ask(f'hook {object} kind={kind} do={packed}')
        op = step.get('op', '0')
        if op != '0':
            self.ops[self.agent_of(object).letter, op] = step.text

    def do_listen(self, step):
        """listen P options: provider, start, UP and DONE."""
        step.verb = 'provider'
        if not any(w.key in ('port', 'listen') for w in step.words):
            step.words = step.words + [word('port', '0'), word('host', '127.0.0.1')]
        self.verb(step)
        self.start(step.args[0])

    def do_connect(self, step):
        """connect C P options: consumer of P, start, UP and DONE, PEER_UP at P."""
        c, p = step.args
        words = step.words
        if not any(w.key in ('url', 'host', 'port') for w in words):
            words = [word('url', f'${{{p}.url}}')] + words
        step.verb, step.args, step.words = 'consumer', [c], words
        self.verb(step)
        self.start(c)
        self.next_event(p, 'PEER_UP', self.patience)

    def do_member(self, step):
        """member M options [in=LETTER]: member of a channel in the scenario's directory, start, UP and DONE."""
        self.open_in_run(step, 'channel')

    def do_keep(self, step):
        """keep H options [in=LETTER]: standing hub in the scenario's directory, start, UP and DONE."""
        self.open_in_run(step, 'hub')

    def do_claim(self, step):
        """claim S options [in=LETTER]: share in the scenario's directory, start, UP and DONE."""
        self.open_in_run(step, 'share')

    def do_host(self, step):
        """host H options [in=LETTER]: standing hub of another host of the scenario's LAN: its directory is $run/H."""
        group, port = self.lan()
        own = {'multicast.enabled': 'true', 'multicast.address': group, 'multicast.port': port,
               'multicast.interface': 'lo', 'multicast.ttl': '0', 'dir': self.vars['run'] + '/' + step.args[0]}
        os.makedirs(own['dir'], mode=0o700, exist_ok=True)
        step.words = step.words + [word(k, v) for k, v in own.items() if not any(w.key == k for w in step.words)]
        self.open_in_run(step, 'hub')

    def lan(self):
        if 'group' not in self.vars:
            self.vars['group'], self.vars['lanport'] = lan.place()
        return self.vars['group'], self.vars['lanport']

    def do_cast(self, step):
        """cast C join|hear|again|bytes ...: README.md lists the actions."""
        name, action = step.args[:2]
        if action == 'join':
            self.casters[name] = lan.Caster(*self.lan(), self.patience)
            self.sockets.append(self.casters[name].sock)
            return
        c = self.casters[name]
        number = {k: int(step.get(k)) for k in ('flip', 'cut', 'pad') if step.get(k)}
        data = next((self.text(w) for w in step.words if w.key == 'body'), '').encode('latin-1')
        if action == 'hear':
            if c.hear(data, int(step.get('min', '0'))) is None:
                raise Failed(f'no datagram has {data!r}')
        elif action == 'again':
            c.again(**number)
        elif action == 'forge':
            c.forge(data)
        elif action == 'bytes':
            c.cast(bytes.fromhex(step.get('hex')) if step.get('hex') else data)
        else:
            raise Failed(f'cast cannot {action}')

    def do_enroll(self, step):
        """join N options [in=LETTER]: node N of the mesh D in the scenario's directory, start, UP and DONE."""
        for key, value in (('cluster.deployment', 'D'), ('member.name', step.args[0])):
            if not any(w.key == key for w in step.words):
                step.words = step.words + [word(key, value)]
        self.open_in_run(step, 'node')

    def do_manage(self, step):
        """manage G options [in=LETTER]: manager G of the mesh D, start, UP and DONE."""
        for key, value in (('cluster.deployment', 'D'), ('member.name', step.args[0]), ('discovery.port', '0')):
            if not any(w.key == key for w in step.words):
                step.words = step.words + [word(key, value)]
        step.verb = 'manager'
        self.verb(step)
        self.start(step.args[0])

    def open_in_run(self, step, verb):
        step.verb = verb
        if not any(w.key == 'dir' for w in step.words):
            step.words = step.words + [word('dir', self.vars['run'])]
        self.verb(step)
        # A secret is stretched on a thread of low priority, which a busy machine lets wait.
        self.start(step.args[0], 12 if step.get('link.secret') else 1)

    def do_process(self, step):
        """process LETTER: one more agent, until the scenario ends."""
        letter, first = step.args[0], self.agents['a']
        agent = Agent(letter, self.further.get(letter, first.process.args), first.patience)
        self.more[letter] = agent
        line = ' '.join(['ctx'] + [self.word(w) for w in self.s.ctx])
        status, facts = agent.ask(line)
        if status != 'OK':
            raise Failed(f'{line}: {status} {facts.get("error", "")}')

    def do_signal(self, step):
        """signal LETTER KILL|STOP|CONT, to a process of this scenario alone."""
        agent = self.more[step.args[0]]
        agent.process.send_signal(getattr(signal, 'SIG' + step.args[1]))
        if step.args[1] == 'STOP':
            self.await_stopped(agent.process.pid)
        if step.args[1] == 'KILL':
            agent.process.wait()

    def await_stopped(self, pid):
        """The signal stops a process thread by thread, and not before kill() returns."""
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            states = []
            for task in os.listdir(f'/proc/{pid}/task'):
                with open(f'/proc/{pid}/task/{task}/stat') as stat:
                    states.append(stat.read().rpartition(')')[2].split()[0])
            if all(s == 'T' for s in states):
                return
            os.sched_yield()
        raise Failed('it does not stop')

    def dispose(self):
        for agent in self.more.values():
            agent.kill()

    def do_file(self, step):
        """file PATH mode=755 [owner=UID] | link=PATH: a directory of this mode, or a symbolic link."""
        path = self.fill(step.args[0])
        if step.get('link'):
            os.symlink(self.fill(step.get('link')), path)
        else:
            os.mkdir(path)
            os.chmod(path, int(step.get('mode'), 8))
            if step.get('owner'):
                os.chown(path, int(step.get('owner')), -1)

    def do_up(self, step):
        self.start(step.args[0])

    def start(self, name, slower=1):
        agent = self.agent_of(name)
        op = str(900 + len(self.handles))
        status, facts = agent.ask(f'start {name} op={op}')
        if status != 'OK':
            raise Failed(f'start {name} answered {status} {facts.get("error", "")}')
        self.ops[agent.letter, op] = f'start {name}'

        def find(events):
            return next((e for e in events if e.kind == 'DONE' and e.facts.get('id') == op), None)
        e = agent.wait(find, self.patience * slower)
        if e is None:
            raise Failed(f'no DONE of start {name}')
        e.seen = True
        if 'status' in e.facts:
            raise Failed(f'start {name} ended: {e.line}')
        self.next_event(name, 'UP', self.patience)

    def do_let(self, step):
        for w in step.words:
            self.vars[w.key] = self.fill(w.value)

    def do_same(self, step):
        """same A=B: both sides after filling in."""
        for w in step.words:
            if self.fill('$' + w.key) != self.fill(w.value):
                raise Failed(f'${w.key} is {self.fill("$" + w.key)!r}, not {self.fill(w.value)!r}')

    def do_port(self, step):
        """port NAME free|busy: a port nobody listens on, or one that is taken."""
        self.vars[step.args[0]], s = self.carrier.port(step.args[0], step.args[1] == 'busy')
        self.sockets.append(s)

    def do_end(self, step):
        self.end()

    def do_http(self, step):
        """http METHOD URL -> STATUS conditions on body and header.X"""
        headers = {w.key: self.fill(w.value) for w in step.words}
        status, body, headers = self.carrier.page(step.args[0], self.fill(step.args[1]), headers, self.patience)
        facts = {'body': body.decode('latin-1')}
        facts.update({f'header.{k.lower()}': v for k, v in headers.items()})
        if str(status) != (step.status or '200'):
            raise Failed(f'HTTP {status} {body[:200]!r}')
        for w in step.answer:
            if not self.holds(w, facts):
                raise Failed(f'{w.key}{w.sign}{w.value} does not hold in {facts}')

    def do_raw(self, step):
        """raw NAME ACTION ...: README.md lists the actions."""
        name, action, rest = step.args[0], step.args[1], step.args[2:]
        if name not in self.raws:
            self.raws[name] = RawPeer(self.patience)
        r = self.raws[name]
        within = step.get('within')
        within = float(within.rstrip('s')) if within else None
        data = next((self.text(w) for w in step.words if w.key == 'body'), '').encode('latin-1')
        if step.get('hex'):
            data = bytes.fromhex(step.get('hex'))
        headers = {w.key[7:]: self.text(w) for w in step.words if w.key.startswith('header.')}
        conditions = [w for w in step.words if w.key not in ('within', 'hex') and not w.key.startswith('header.')]
        if action == 'dial':
            self.carrier.dial(r, self.fill(rest[0]), self.fill(step.get('tls', '')))
        elif action == 'listen':
            if rest:
                r.listen(file=self.fill(rest[0]))
            else:
                self.carrier.listen(r, name, self.fill(step.get('tls', '')))
        elif action == 'accept':
            r.accept(within)
        elif action == 'upgrade':
            r.upgrade(self.fill(step.get('path', '/connect')), headers, tuple(filter(None, step.get('drop', '').split(','))),
                      early=data, status=int(step.get('status', '101')))
        elif action == 'response':
            r.response(int(rest[0]))
        elif action == 'answer':
            r.answer(int(rest[0]) if rest else 101, headers, self.fill(step.get('body', '')), key=step.get('key'))
        elif action == 'bytes':
            r.write(data)
        elif action == 'record':
            r.write(b''.join(self.text(w).encode('latin-1') + b'\0' for w in step.words if w.key == 'body'))
        elif action == 'slowly':
            r.slowly(data, float(step.get('gap', '0.02')))
        elif action == 'frame':
            r.write(r.frame(rest[0], data, fin=step.get('fin', '1') == '1', rsv=int(step.get('rsv', '0')),
                            mask=None if step.get('mask') is None else step.get('mask') == '1',
                            length=int(step.get('length')) if step.get('length') else None))
        elif action == 'packet':
            r.write(r.packet(rest[0], int(step.get('id', '1')), self.fill(step.get('conn')), data,
                             length=int(step.get('length')) if step.get('length') else None))
        elif action == 'close':
            code = int(step.get('code', '1000'))
            r.write(r.frame('close', code.to_bytes(2, 'big') + data))
        elif action == 'expect':
            facts = r.expect(rest[0], within)
            for w in conditions:
                if not self.holds(w, facts):
                    raise Failed(f'{w.key}{w.sign}{w.value} does not hold in {facts}')
        elif action == 'has':
            for w in step.words:
                facts = dict(r.facts)
                if not self.holds(w, facts):
                    raise Failed(f'{w.key}{w.sign}{w.value} does not hold in {facts}')
        elif action in ('shut', 'reset'):
            getattr(r, action)()
        elif action == 'drop':
            (r.sock or r.listener).close()
        else:
            raise Failed(f'raw cannot {action}')

    # -- what holds for every scenario
    def end(self):
        if self.ended:
            return
        self.ended = True
        for r in self.raws.values():
            r.dispose()
        for s in self.sockets:
            s.close()
        for agent in self.more.values():
            if agent.process.poll() is not None:
                continue
            status, facts = agent.ask('end')
            if status != 'OK':
                raise Failed(f'end of context {agent.letter} answered {status}')
            self.check(agent)
            code = agent.quit()
            if code != 0:
                raise Failed(f'process {agent.letter}: exit {code}\n{agent.stderr()}')
        for letter in (['a'] if self.s.one else ['b', 'a']):
            agent = self.agents[letter]
            status, facts = agent.ask('end')
            if status != 'OK':
                raise Failed(f'end of context {letter} answered {status}')
            left = (facts['fds'], facts['threads'])
            if agent.clean is not None and agent.clean != left:
                raise Failed(f'agent {letter} began with {agent.clean[0]} descriptors and {agent.clean[1]} threads '
                             f'and is left with {left[0]} and {left[1]}')
            self.check(agent)

    def check(self, agent):
        with agent.changed:
            events = [e for e in agent.events if e.kind != 'HOOK']
        if any(e.kind == 'FAULT' for e in events):
            raise Failed('the door failed: ' + next(e.line for e in events if e.kind == 'FAULT'))
        if not events or events[-1].object != 'ctx' or events[-1].kind != 'CLOSED':
            raise Failed(f'the last event of context {agent.letter} is not its CLOSED: {events[-1].line[:200] if events else "none"}')
        done = [e.facts.get('id') for e in events if e.kind == 'DONE']
        for (letter, op), text in self.ops.items():
            if letter == agent.letter and done.count(op) != 1:
                raise Failed(f'op {op} ({text}) had {done.count(op)} DONE')
        for a, name in self.handles:
            if a is not agent:
                continue
            own = [e for e in events if e.object == name]
            closed = [e for e in own if e.kind == 'CLOSED']
            if len(closed) != 1:
                raise Failed(f'{name} had {len(closed)} CLOSED')
            if own[-1] is not closed[0]:
                raise Failed(f'after CLOSED of {name}: {own[-1].line[:200]}')
            if closed[0].facts.get('id') != name:
                raise Failed(f'CLOSED of {name} names {closed[0].facts.get("id")}')
        up, down = {}, {}
        state = {}
        for e in events:
            peer = e.facts.get('peer')
            if e.kind == 'PEER_UP':
                up[peer] = up.get(peer, 0) + 1
            elif e.kind == 'PEER_DOWN':
                down[peer] = down.get(peer, 0) + 1
            elif e.kind in ('MESSAGE', 'PING', 'PONG') and peer in down:
                raise Failed(f'after PEER_DOWN: {e.line[:200]}')
            elif e.kind in ('UP', 'DOWN') and e.object.split(':')[0] != 'token':
                if state.get(e.object, 'DOWN') == e.kind and not (e.kind == 'DOWN' and e.object not in state) \
                        and e.kind == 'UP':
                    raise Failed(f'UP twice: {e.line[:200]}')
                state[e.object] = e.kind
        if up != down or any(n != 1 for n in up.values()):
            raise Failed(f'PEER_UP {up} and PEER_DOWN {down} do not pair')
