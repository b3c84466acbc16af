#!/usr/bin/env python3
"""Plays the scenario table: run.py --agent PROGRAM [--door DOOR]... [--only TEXT] [FILE.scn ...]

--agent is the program that plays the provider's side and, without --other,
the consumer's side too. --further is the program of a scenario's process c, and
again of d, e ..., which are --agent without it. Ends with "N passed, N failed, N skipped"."""
import argparse
import copy
import glob
import os
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import carriers  # noqa: E402
import certs  # noqa: E402
import table  # noqa: E402
from agents import Agent, AgentError  # noqa: E402
from play import Failed, Play  # noqa: E402

DOORS = ['run', 'inline', 'dispatch', 'queue', 'turn']


def missing(needs):
    """Why a scenario cannot run on this machine, or ''."""
    for need in needs:
        if need == 'ipv6' and not os.path.exists('/proc/net/if_inet6'):
            return 'no IPv6 here'
        if need == 'tls' and not shutil.which('openssl'):
            return 'no openssl program to make certificates with'
        if need == 'root' and os.geteuid() != 0:
            return 'only root can make what belongs to others'
    return ''


class Runner:
    def __init__(self, args):
        self.args = args
        self.tmp = tempfile.mkdtemp(prefix='scn')
        self.places = {'tmp': self.tmp}
        if shutil.which('openssl'):
            self.places['certs'] = certs.make(os.path.join(self.tmp, 'certs'))
        self.count = {'passed': 0, 'failed': 0, 'skipped': 0}
        self.agents = {}
        self.number = 0
        self.carrier = carriers.carrier(args.over, self.places)
        self.carrier.usual['consumer']['wire'] = args.wire

    def start(self, door):
        for letter, program in (('a', self.args.agent), ('b', self.args.other or self.args.agent)):
            agent = Agent(letter, program.split() + [door], self.args.patience)
            self.agents[letter] = agent
            # The first context may leave what a process makes once, a sanitizer its thread; the second nothing.
            for _ in range(2):
                agent.begin()
                for line in ('ctx', 'provider warm port=0 host=127.0.0.1', 'start warm op=1', 'end'):
                    status, facts = agent.ask(line)
                    if status != 'OK':
                        raise AgentError(f'{line} answered {status} {facts.get("error", "")}')
            agent.clean = (facts['fds'], facts['threads'])

    def stop(self):
        """Exit codes count: sanitizers speak through them."""
        for letter, agent in list(self.agents.items()):
            code = agent.quit()
            text = agent.stderr()
            if code != 0 or 'Sanitizer' in text:
                self.report('failed', f'agent {letter} at exit', f'exit {code}\n{text}')
        self.agents = {}

    def kill(self):
        for agent in self.agents.values():
            agent.kill()
        self.agents = {}

    def report(self, result, name, text=''):
        self.count[result] += 1
        if result != 'passed' or self.args.verbose:
            print(f'{result.upper():8}{name}{": " + text if text else ""}', flush=True)

    def play(self, scenario, door):
        name = f'{scenario.name} [{door} {self.args.over} {self.args.wire}]'
        if scenario.doors and door not in scenario.doors:
            return
        if not self.carrier.suits(scenario.needs):
            return  # it chooses its carrier itself
        why = missing(scenario.needs)
        if why:
            return self.report('skipped', name, why)
        reason = self.args.skips.get(scenario.name) or \
            ((not scenario.skip_doors or door in scenario.skip_doors) and scenario.skip)
        self.number += 1
        self.places['unique'] = f's{self.number}'
        self.places['run'] = os.path.join(self.tmp, f'r{self.number}')
        began = time.monotonic()
        p = None
        try:
            if not self.agents:
                self.start(door)
            further = {letter: program.split() + [door] for letter, program in zip('cdefgh', self.args.further)}
            p = Play(copy.deepcopy(scenario), self.agents, 2 if reason else self.args.patience, self.places,
                     self.carrier, further)
            p.play()
        except (Failed, AgentError) as e:
            every = list(self.agents.values()) + (list(p.more.values()) if p else [])
            log = [l for a in every for l in a.log[-self.args.lines:]]
            dead = [f'agent {a.letter}: exit {a.process.poll()}\n{a.stderr()}'
                    for a in every if a.process.poll() is not None]
            self.kill()
            if reason:
                return self.report('skipped', name, reason)
            return self.report('failed', name, f'{scenario.where}\n      {e}\n' +
                               '\n'.join('        ' + l for l in log + dead))
        finally:
            if p:
                p.dispose()
        if reason:
            return self.report('failed', name, f'{scenario.where}: passes now; take its skip ("{reason}") away')
        self.report('passed', name, f'{time.monotonic() - began:.2f} s')

    def run(self, scenarios):
        for door in self.args.door or DOORS:
            for s in scenarios:
                self.play(s, door)
            self.stop()
        shutil.rmtree(self.tmp, ignore_errors=True)
        print('{passed} passed, {failed} failed, {skipped} skipped'.format(**self.count))
        return 1 if self.count['failed'] or not self.count['passed'] else 0


def skips(path):
    """Lines "NAME OF A SCENARIO: reason": what a language cannot say."""
    with open(path, encoding='utf-8') as f:
        lines = [line.strip() for line in f if line.strip() and not line.startswith('#')]
    return {name: reason for name, _, reason in (line.rpartition(': ') for line in lines)}


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--agent', required=True)
    p.add_argument('--other')
    p.add_argument('--further', action='append', default=[])
    p.add_argument('--door', action='append', choices=DOORS)
    p.add_argument('--over', default='tcp', choices=carriers.NAMES)
    p.add_argument('--wire', default='raw', choices=['raw', 'meshwork'])
    p.add_argument('--only', default='')
    p.add_argument('--leave-out', type=skips, default={}, metavar='FILE', help='like --skips, but not even tried')
    p.add_argument('--without', action='append', default=[], metavar='NAME.scn', help='a file of what a language has not yet')
    p.add_argument('--skips', type=skips, default={}, metavar='FILE')
    p.add_argument('--patience', type=float, default=5.0)
    p.add_argument('--lines', type=int, default=25)
    p.add_argument('--verbose', '-v', action='store_true')
    p.add_argument('files', nargs='*')
    args = p.parse_args()
    scenarios = []
    for f in args.files or sorted(f for f in glob.glob(os.path.join(HERE, '*.scn')) if os.path.basename(f) not in args.without):
        scenarios += table.load(f)
    names = [s.name for s in scenarios]
    twice = {n for n in names if names.count(n) > 1}
    unknown = set(args.skips) - set(names) if not args.files else set()
    if unknown:
        print('skips of no scenario: ' + ', '.join(sorted(unknown)))
        return 1
    if twice:
        print('two scenarios of one name: ' + ', '.join(sorted(twice)))
        return 1
    return Runner(args).run([s for s in scenarios if (args.only in s.name or args.only in s.where)
                             and s.name not in args.leave_out])


if __name__ == '__main__':
    sys.exit(main())
