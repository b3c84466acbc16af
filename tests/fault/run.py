#!/usr/bin/env python3
"""Runs fault_spine with the 1st, 2nd, 3rd ... step failing, until there are no
more steps. usage: run.py PROGRAM memory|call THREADS [EVERY]
EVERY n (default 1): after the first hundred only every nth step."""
import concurrent.futures
import subprocess
import sys

program, what, threads = sys.argv[1:4]
every = int(sys.argv[4]) if len(sys.argv) > 4 else 1
DONE = 3


def run(nth):
    try:
        done = subprocess.run([program, what, str(nth), threads], text=True, timeout=90,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return nth, done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return nth, -1, "hangs"


passed = failed = 0
nth, over = 1, False
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    while not over and failed < 10:
        batch = []
        for _ in range(16):
            batch.append(nth)
            nth += 1 if nth < 100 else every
        for n, code, output in pool.map(run, batch):
            if code == DONE:
                over = True
            elif code == 0:
                passed += 1
            else:
                failed += 1
                print(f"FAILED  {what} {n}, threads={threads}: exit code {code}\n{output[-3000:]}", flush=True)
if passed + failed == 0:
    print("nothing could be made to fail")
    failed = 1
print(f"last step tried: {nth}")
print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(1 if failed else 0)
