#!/usr/bin/env python3
"""Runs soak and looks at memory, descriptors and threads: their floor has to stay flat.
usage: run.py PROGRAM SECONDS"""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "scenario"))
import certs  # noqa: E402

NAMES = ("memory KiB", "descriptors", "threads")
WARM = 0.25  # of the time: pools and caches fill


def gain(values):
    """How much the floor rose: what comes and goes with the traffic has its lows in every third, a leak has not."""
    third = max(len(values) // 3, 1)
    return min(values[-third:]) - min(values[:third])


def main():
    program, seconds = sys.argv[1], int(sys.argv[2])
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        command = [program, str(seconds)]
        if shutil.which("openssl"):
            made = certs.make(os.path.join(folder, "certs"))
            command += [f"{made}/server.key", f"{made}/server.pem", f"{made}/ca.pem"]
        soak = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for line in soak.stdout:
            row = list(map(int, line.split()))
            rows.append(row)
            if sys.stdout.isatty() or row[0] % 60 == 0:
                print(f"\r{row[0]:6} s  {row[1]} KiB  {row[2]} descriptors  {row[3]} threads  {row[4]} messages  "
                      f"{row[5]} connections ", end="" if sys.stdout.isatty() else "\n", flush=True)
        code = soak.wait()
    print()
    if code != 0 or len(rows) < 8:
        print(f"FAILED  exit code {code} after {len(rows)} s")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    passed = failed = 0
    steady = [r for r in rows if r[0] >= seconds * WARM]
    # What the floor may rise from the warm start to the end: connections that
    # happen to be open (some eight descriptors come and go), not a leak.
    allowed = (max(2048, steady[0][1] // 20), 16, 0)
    for column, (name, limit) in enumerate(zip(NAMES, allowed), 1):
        rise = gain([r[column] for r in steady])
        good = rise <= limit
        passed, failed = passed + good, failed + (not good)
        print(f"{'ok     ' if good else 'FAILED '} {name}: {rise:+d} over {len(steady)} s (at most {limit:+g})")
    moved = rows[-1][4] > rows[len(rows) // 2][4] and rows[-1][5] > rows[len(rows) // 2][5]
    passed, failed = passed + moved, failed + (not moved)
    print(f"{'ok     ' if moved else 'FAILED '} traffic: {rows[-1][4]} messages, {rows[-1][5]} connections, to the end")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
