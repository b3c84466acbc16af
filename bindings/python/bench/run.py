#!/usr/bin/env python3
"""Messages a second through echo servers in Python, the load from `meshwork bench`,
and the ratio to `websockets`. Servers run on one core, the load on another.

usage: run.py MESHWORK-PROGRAM [SECONDS]        wants `pip install websockets`"""
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SERVERS = {
    "websockets": ["echo_websockets.py", "0"],
    "handler": ["echo_meshwork.py", "0", "handler"],
    "async for": ["echo_meshwork.py", "0", "iterate"],
    "threads=1": ["echo_meshwork.py", "0", "handler", "1"],
}


def measure(program, url, size, flight, connections, seconds):
    r = subprocess.run(
        ["taskset", "-c", "1", program, "bench", url, "-b", str(size), "-i", str(flight), "-c", str(connections),
         "-d", str(seconds), "--json", "-q"], stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return json.loads(r.stdout.strip().splitlines()[-1])


def main():
    program, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 2
    started, urls = [], {}
    try:
        for name, arguments in SERVERS.items():
            p = subprocess.Popen(
                ["taskset", "-c", "0", sys.executable, str(HERE / arguments[0]), *arguments[1:]],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            )  # fmt: skip
            started.append(p)
            urls[name] = p.stdout.readline().strip()
        print("size flight connections | " + " | ".join(f"{n:>22}" for n in SERVERS))
        for size in (20, 1024):
            for flight in (1, 16):
                for connections in (1, 64, 500):
                    base, row = 0, []
                    for name in SERVERS:
                        told = measure(program, urls[name], size, flight, connections, seconds)
                        rate = told["rate"]
                        base = base or rate
                        row.append(f"{rate:8.0f}/s {rate / base:5.2f} {told['p50_us']:6.0f}")
                    print(f"{size:4} {flight:6} {connections:11} | " + " | ".join(row), flush=True)
    finally:
        for p in started:
            p.terminate()
            p.wait()


if __name__ == "__main__":
    main()
