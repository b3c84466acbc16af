#!/usr/bin/env python3
"""The README's programs built in an empty module by replace, the examples, and
a program that ends with everything open.   programs.py BUILD_DIR FOLDER"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

build, here = map(pathlib.Path, sys.argv[1:])
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / 'tests/bindings'))
import host_examples  # noqa: E402


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def check(true, text):
    if not true:
        sys.exit(text)


def pair(provider, consumer, ready, want):
    """Runs both; the provider listens when ready() says so."""
    serving = subprocess.Popen(provider, stdout=subprocess.PIPE, text=True)
    try:
        address = ready(serving)
        told = subprocess.run(consumer(address), capture_output=True, text=True, timeout=60)
        check(told.returncode == 0 and want in told.stdout, f'{consumer(address)}: {told}')
    finally:
        serving.terminate()
        serving.wait(timeout=30)


def listens(port):
    def ready(process):
        deadline = time.monotonic() + 60
        while True:  # a refused connect is the event we wait for the end of
            try:
                socket.create_connection(('127.0.0.1', port), timeout=1).close()
                return port
            except OSError:
                check(time.monotonic() < deadline and process.poll() is None, 'the provider does not listen')
                time.sleep(0.02)
    return ready


def says_address(process):
    line = process.stdout.readline()
    return re.search(r'ws:[^"]*', line).group().replace('0.0.0.0', '127.0.0.1')


programs = [p for p in re.findall(r'```go\n(.*?)```', (here / 'README.md').read_text(), re.S) if 'func main' in p]
check(len(programs) == 2, 'the README has not two programs')
port = free_port()
for name, text in zip(('provider', 'consumer'), programs):
    folder = build / 'try' / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'main.go').write_text(text.replace('8080', str(port)))
    for command in (['go', 'mod', 'init', 'try'],
                    ['go', 'mod', 'edit', '-require', 'meshwork@v0.0.0', '-replace', f'meshwork={build / "source"}'],
                    ['go', 'build', '-o', str(build / 'bin' / f'readme_{name}')]):
        subprocess.run(command, cwd=folder, check=True, env={**os.environ, 'GOWORK': 'off'})
binaries = build / 'bin'
pair([binaries / 'readme_provider'], lambda _: [binaries / 'readme_consumer'], listens(port), 'hello')
pair([binaries / 'provider', '0'], lambda url: [binaries / 'consumer', url], says_address, 'Provider Sent: SOME_REPLY')

host_examples.play(binaries, check)
host_examples.mesh(binaries, check)

began = time.monotonic()
ended = subprocess.run([binaries / 'exit'], capture_output=True, text=True, timeout=30)
check(ended.returncode == 0 and ended.stdout == 'open\n', f'exit: {ended}')
check(time.monotonic() - began < 20, 'the end with everything open took seconds')
