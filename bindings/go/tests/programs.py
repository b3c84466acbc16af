#!/usr/bin/env python3
"""The README's programs built in an empty module by replace, the examples, and
a program that ends with everything open.   programs.py BUILD_DIR FOLDER"""
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

build, here = map(pathlib.Path, sys.argv[1:])


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


def host(programs):
    """Processes of one host: they talk in a channel, then share a leader, which is killed."""
    with tempfile.TemporaryDirectory() as place:
        def begin(name, first):
            process = subprocess.Popen([programs / name, 'try', place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            running.append(process)
            check(process.stdout.readline().startswith(first), f'{name} did not begin')
            return process

        def says(process, line):
            process.stdin.write(line + '\n')
            process.stdin.flush()

        def hears(process, want):
            check((line := process.stdout.readline()) == want + '\n', f'{line!r} in place of {want!r}')

        running, stop = [], threading.Timer(60, lambda: [p.kill() for p in running])  # a read that waits ends, too
        stop.start()
        try:
            one, other = begin('channel', 'joined'), begin('channel', 'joined')
            says(one, 'hello')
            hears(other, 'line.read: hello')
            leader, follower = begin('share', 'leads: epoch 1'), begin('share', 'follows: epoch 1')
            says(follower, 'one')
            hears(follower, f'one says process {leader.pid}')
            leader.kill()
            hears(follower, 'leads: epoch 2')
            says(follower, 'two')
            hears(follower, f'two says process {follower.pid}')
            for process in (one, other, follower):
                process.stdin.close()
                check(process.wait(timeout=30) == 0, 'a program failed at its end')
        finally:
            stop.cancel()
            for process in running:
                process.kill()
                process.wait()


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

host(binaries)

began = time.monotonic()
ended = subprocess.run([binaries / 'exit'], capture_output=True, text=True, timeout=30)
check(ended.returncode == 0 and ended.stdout == 'open\n', f'exit: {ended}')
check(time.monotonic() - began < 20, 'the end with everything open took seconds')
