#!/usr/bin/env python3
"""Does the runner notice? A false agent misbehaves in one way at a time; each
must make a scenario fail, and good behaviour must pass."""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))

AGENT = r'''
import sys
fault = sys.argv[1].replace('_', ' ')
def out(*lines):
    for l in lines: print(l, flush=True)
out('hello false ' + sys.argv[2] + ' 0.0.0')
played = 0
for line in sys.stdin:
    w = line.split()
    if w[0] == 'ctx':
        played += 1
        bad = fault if played > 2 else ''   # the first two contexts are the runner's own
        out('= OK')
    elif w[0] == 'provider':
        out('= OK')
    elif w[0] == 'start':
        op = w[2].split('=')[1]
        out('= OK', '! p UP body={"address":"ws://127.0.0.1:4711/connect"}')
        if bad != 'no done': out('! p DONE id=' + op)
        if bad == 'two done': out('! p DONE id=' + op)
        out('! p PEER_UP peer=p.1')
    elif w[0] == 'close':
        out('= ' + ('EINVAL error=no' if bad == 'wrong answer' else 'OK'))
        if bad == 'message after peer': out('! p PEER_DOWN peer=p.1', '! p MESSAGE peer=p.1')
        elif bad != 'no peer down': out('! p PEER_DOWN peer=p.1 code=' + ('1001' if bad == 'wrong code' else '1000'))
        out('! p CLOSED id=p')
        if bad == 'two closed': out('! p CLOSED id=p')
        if bad == 'after closed': out('! p LOG')
        if bad == 'crash': sys.exit(3)
    elif w[0] == 'end':
        if bad == 'up twice': out('! c UP', '! c UP')
        if bad != 'no end': out('! ctx CLOSED')
        if bad == 'after the end': out('! p LOG')
        out('= OK fds=%d threads=%d' % (4 if bad == 'descriptor' else 3, 2 if bad == 'thread' else 1))
    elif w[0] == 'quit':
        sys.exit(9 if fault == 'exit code' else 0)
'''

SCENARIO = '''
scenario one
  one-agent
{skip}  listen p
  expect p PEER_UP peer=p.1
  close p
  expect p PEER_DOWN code=1000
  expect p CLOSED
  order p UP DONE PEER_UP PEER_DOWN CLOSED
'''

FAULTS = ['no done', 'two done', 'wrong answer', 'no peer down', 'message after peer', 'wrong code', 'two closed',
          'after closed', 'crash', 'up twice', 'no end', 'after the end', 'descriptor', 'thread', 'exit code']


def run(folder, fault, skip=''):
    agent, table = os.path.join(folder, 'agent.py'), os.path.join(folder, 'one.scn')
    with open(agent, 'w') as f:
        f.write(AGENT)
    with open(table, 'w') as f:
        f.write(SCENARIO.format(skip=skip))
    # The agent's command is split at spaces.
    r = subprocess.run([sys.executable, os.path.join(HERE, 'run.py'), '--agent',
                        f'{sys.executable} {agent} {fault.replace(" ", "_")}', '--door', 'run', '--patience', '0.5', table],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return r.returncode, r.stdout.strip().splitlines()[-1], r.stdout


def main():
    passed, failed = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        cases = [('', '', (0, '1 passed, 0 failed, 0 skipped'))]
        cases += [(f, '', (1, None)) for f in FAULTS]
        cases += [('no done', '  skip "known"\n', (1, '0 passed, 0 failed, 1 skipped')),   # nothing passed: not a success
                  ('none', '  skip "stale"\n', (1, '0 passed, 1 failed, 0 skipped'))]
        for fault, skip, (code, last) in cases:
            got, line, text = run(folder, fault or 'none', skip)
            if got == code and (line == last if last else ' 0 failed' not in line):
                passed += 1
            else:
                failed += 1
                print(f'FAILED  {fault or "good behaviour"} {skip.strip()}: exit {got}, "{line}"\n{text}')
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
