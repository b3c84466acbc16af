#!/usr/bin/env python3
"""Runs soak and looks at memory, descriptors and threads: they have to stay flat.
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

FACTS = (("memory KiB", min), ("descriptors", max), ("threads", max))
WARM = 0.25  # of the time: pools and caches fill


def gain(values, edge):
    """How much higher the last third is than what came before it. edge min, for memory: bursts come and go, a leak
    raises the floor. edge max, for what the traffic bounds: 32 consumers have two descriptors each, a leak has more."""
    third = max(len(values) // 3, 1)
    return edge(values[-third:]) - edge(values[:-third])


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
    allowed = (max(4096, steady[0][1] // 10), 16, 0)
    for column, ((name, edge), limit) in enumerate(zip(FACTS, allowed), 1):
        rise = gain([r[column] for r in steady], edge)
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
