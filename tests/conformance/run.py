#!/usr/bin/env python3
"""Autobahn's test suite against our provider and our consumer.

usage: run.py --provider PROGRAM --consumer PROGRAM --build FOLDER [--cases 1.* ...]
Needs a Python 2.7 (PATH, or pyenv's versions) for autobahntestsuite; it is put
into a virtual environment in FOLDER once. Without a Python 2.7 both roles are
skipped, loudly. Every case must be OK unless expected.txt names it, and what
expected.txt names must be as it says. Last line: N passed, N failed, N skipped."""
import argparse
import fnmatch
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 3600  # seconds a role may take: a guard, not a measure; two idle cores need a few minutes


def python27():
    """A Python 2.7 that runs, or None."""
    candidates = [shutil.which('python2.7'), shutil.which('python2')]
    for root in (os.environ.get('PYENV_ROOT'), os.path.expanduser('~/.pyenv')):
        if root:
            candidates += sorted(glob.glob(os.path.join(root, 'versions', '2.7*', 'bin', 'python2.7')), reverse=True)
    for c in filter(None, candidates):
        r = subprocess.run([c, '-c', 'import sys; sys.exit(sys.version_info[:2] != (2, 7))'],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if r.returncode == 0:
            return c
    return None


def suite(build, python):
    """The wstest program, made once."""
    env = os.path.join(build, 'autobahn')
    wstest = os.path.join(env, 'bin', 'wstest')
    stamp = os.path.join(env, 'requirements.txt')
    want = os.path.join(HERE, 'requirements.txt')
    if os.path.exists(stamp) and open(stamp).read() == open(want).read():
        return wstest
    print('installing autobahntestsuite into', env, flush=True)
    shutil.rmtree(env, ignore_errors=True)
    os.makedirs(build, exist_ok=True)
    tools = os.path.join(build, 'virtualenv')
    quiet = {'PIP_DISABLE_PIP_VERSION_CHECK': '1', 'PIP_NO_PYTHON_VERSION_WARNING': '1', 'PYTHONWARNINGS': 'ignore'}
    environment = dict(os.environ, **quiet)
    # The last virtualenv that runs on Python 2.7 itself.
    for step in ([python, '-m', 'pip', 'install', '-q', '--upgrade', '--target', tools, 'virtualenv==20.15.1'],
                 [python, '-m', 'virtualenv', '-q', '--no-download', env],
                 [os.path.join(env, 'bin', 'pip'), 'install', '-q', '-r', want]):
        r = subprocess.run(step, env=dict(environment, PYTHONPATH=tools) if 'virtualenv' in step else environment,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if r.returncode:
            raise RuntimeError(f'{" ".join(step)} failed:\n{r.stdout[-3000:]}')
    shutil.copy(want, stamp)
    return wstest


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def wait_port(port, process):
    """Until somebody listens; its process may die first."""
    for _ in range(600):
        if process.poll() is not None:
            return False
        try:
            socket.create_connection(('127.0.0.1', port), timeout=1).close()
            return True
        except OSError:
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
    return False


def server_role(args, wstest, out):
    """Their fuzzing client at our provider; the log."""
    log = open(os.path.join(args.build, 'provider.log'), 'w+')
    provider = subprocess.Popen([args.provider, 'wire=raw', 'compress=32k', 'compress.min_bytes=0',
                                 'compress.max_ratio=100000', 'recv.max_message=64MiB', 'send.max_bytes=256MiB',
                                 'heartbeat.interval=60s'],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        url = provider.stdout.readline().split()[1]
        spec = {'outdir': out, 'servers': [{'agent': 'meshwork', 'url': url}], 'cases': args.cases,
                'exclude-cases': [], 'exclude-agent-cases': {}}
        path = os.path.join(args.build, 'client.json')
        with open(path, 'w') as f:
            json.dump(spec, f)
        subprocess.run([wstest, '-m', 'fuzzingclient', '-s', path], stdout=log, stderr=log, timeout=LIMIT)
        provider.stdin.close()
        code = provider.wait(20)
        return '' if code == 0 else f'the echo provider ended with exit code {code}'
    except (subprocess.TimeoutExpired, IndexError) as e:
        return f'{e}'
    finally:
        provider.kill()
        log.close()


def client_role(args, wstest, out):
    """Our consumer at their fuzzing server."""
    log = open(os.path.join(args.build, 'consumer.log'), 'w+')
    port = free_port()
    spec = {'url': f'ws://127.0.0.1:{port}', 'outdir': out, 'cases': args.cases, 'exclude-cases': [],
            'exclude-agent-cases': {}}
    path = os.path.join(args.build, 'server.json')
    with open(path, 'w') as f:
        json.dump(spec, f)
    server = subprocess.Popen([wstest, '-m', 'fuzzingserver', '-s', path, '-u', '0'], stdout=log, stderr=log)
    try:
        if not wait_port(port, server):
            return 'the fuzzing server did not start'
        r = subprocess.run([args.consumer, '--autobahn', f'ws://127.0.0.1:{port}', 'meshwork', 'wire=raw', 'compress=32k',
                            'compress.min_bytes=0', 'compress.max_ratio=100000', 'recv.max_message=64MiB',
                            'send.max_bytes=256MiB', 'heartbeat.interval=60s'],
                           stdout=log, stderr=log, timeout=LIMIT)
        return '' if r.returncode == 0 else f'the echo consumer ended with exit code {r.returncode}'
    except subprocess.TimeoutExpired as e:
        return f'{e}'
    finally:
        server.terminate()
        server.wait()
        log.close()


def expectations():
    """{(role, case): result}; a case may be a pattern."""
    found = []
    with open(os.path.join(HERE, 'expected.txt')) as f:
        for line in f:
            words = line.split('#')[0].split()
            if words:
                found.append((words[0], words[1], words[2]))
    return found


def key(case):
    return [int(n) for n in case.split('.')]


def judge(role, out, expected, every):
    """(passed, failed, lines); what is expected must be so. every: all cases ran, so each line must have served."""
    try:
        with open(os.path.join(out, 'index.json')) as f:
            cases = json.load(f)['meshwork']
    except (OSError, KeyError, ValueError) as e:
        return 0, 1, [f'{role}: no report: {e}']
    passed, failed, lines, used, tally = 0, 0, [], set(), {}
    for case in sorted(cases, key=key):
        r = cases[case]
        result = r['behavior'] if r['behaviorClose'] in ('OK', 'INFORMATIONAL') or r['behavior'] != 'OK' \
            else 'CLOSE-' + r['behaviorClose']
        tally[result] = tally.get(result, 0) + 1
        wanted = 'OK'
        for e in expected:
            if e[0] in (role, 'both') and fnmatch.fnmatchcase(case, e[1]):
                wanted = e[2]
                used.add(e)
        if result == wanted:
            passed += 1
        else:
            failed += 1
            lines.append(f'{role} {case}: {result}, expected {wanted}')
    for e in expected:
        if every and e[0] in (role, 'both') and e not in used:
            failed += 1
            lines.append(f'{role} {e[1]}: expected.txt names it, but no such case ran')
    lines.append(f'{role}: {len(cases)} cases: ' + ', '.join(f'{n} {k}' for k, n in sorted(tally.items())))
    return passed, failed, lines


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--provider', required=True)
    p.add_argument('--consumer', required=True)
    p.add_argument('--build', required=True)
    p.add_argument('--role', choices=['provider', 'consumer'])
    p.add_argument('--cases', nargs='*', default=['*'])
    args = p.parse_args()
    args.build = os.path.abspath(args.build)
    python = python27()
    if python is None:
        print('SKIPPED conformance: there is no Python 2.7, which autobahntestsuite needs; '
              'our own byte vectors (play_vectors.py) run with the other tests')
        print('0 passed, 0 failed, 2 skipped')
        return 0
    wstest = suite(args.build, python)
    roles = {'provider': server_role, 'consumer': client_role}
    trouble, threads, folders = {}, [], {}
    for role, run in roles.items():
        if args.role not in (None, role):
            continue
        folders[role] = os.path.join(args.build, 'report-' + role)
        shutil.rmtree(folders[role], ignore_errors=True)
        t = threading.Thread(target=lambda role=role, run=run: trouble.update({role: run(args, wstest, folders[role])}))
        t.start()
        threads.append(t)
    for t in threads:
        t.join()
    passed = failed = 0
    for role in folders:
        ok, bad, lines = judge(role, folders[role], expectations(), args.cases == ['*'])
        if trouble.get(role):
            bad += 1
            lines.append(f'{role}: {trouble[role]}')
        print('\n'.join(lines))
        passed, failed = passed + ok, failed + bad
    print(f'reports: {args.build}/report-*/index.html')
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
