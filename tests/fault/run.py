#!/usr/bin/env python3
"""Runs fault_spine with the 1st, 2nd, 3rd ... step failing, until there are no
more steps.
usage: run.py PROGRAM memory|call turn|queued|inline raw|own|tls ROW [EVERY]
ROW: so many steps fail together. EVERY n (default 1): of each n steps one, at
another place in each n, so that neighbours of a loop all have their turn."""
import concurrent.futures
import os
import subprocess
import sys
import tempfile

program, what, door, wire, row = sys.argv[1:6]
every = int(sys.argv[6]) if len(sys.argv) > 6 else 1
DONE = 3


def run(nth, wire):
    try:
        done = subprocess.run([program, what, str(nth), row, door, wire], text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return nth, done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return nth, -1, 'hangs'


def sweep(wire):
    passed = failed = at = 0
    over = False
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        while not over and failed < 10:
            steps = range(at, at + 16)
            at += 16
            # 7 shares no factor with the usual EVERYs: all places come round.
            for n, code, output in pool.map(lambda i: run(i * every + i * 7 % every + 1, wire), steps):
                if code == DONE:
                    over = True
                elif code == 0:
                    passed += 1
                else:
                    failed += 1
                    print(f'FAILED  {what} {n}, {row} in a row, {door} {wire}: exit code {code}\n{output[-3000:]}',
                          flush=True)
    return passed, failed


with tempfile.TemporaryDirectory() as folder:
    if wire == 'tls':
        wire = os.path.join(folder, 'server.pem')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                        '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1',
                        '-keyout', wire, '-out', wire + '.crt'], check=True, stderr=subprocess.DEVNULL)
        with open(wire + '.crt') as crt, open(wire, 'a') as both:
            both.write(crt.read())
    passed, failed = sweep(wire)
if passed + failed == 0:
    print('nothing could be made to fail')
    failed = 1
print(f'{passed} passed, {failed} failed, 0 skipped')
sys.exit(1 if failed else 0)
