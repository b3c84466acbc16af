#!/usr/bin/env python3
"""Our own byte vectors (vectors.py) against our provider and our consumer:
what Autobahn's cases are about, wherever Python 3 runs.

usage: play_vectors.py --provider PROGRAM --consumer PROGRAM [--only TEXT] [--patience SECONDS]
Last line: N passed, N failed, N skipped."""
import argparse
import os
import random
import re
import socket
import subprocess
import sys
import threading
import zlib

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', 'scenario'))
sys.path.insert(0, HERE)

from raw import RawError, RawPeer  # noqa: E402
from vectors import CLOSE, CONT, PING, PONG, Frame, Squeeze, close, every, pieces  # noqa: E402

NAMES = {0: CONT, 1: 'text', 2: 'binary', 8: CLOSE, 9: PING, 10: PONG}
# Memory for the largest windows, so that either side may have any.
OPTIONS = ['wire=raw', 'compress=256k', 'compress.min_bytes=0', 'compress.max_ratio=100000', 'recv.max_message=64MiB',
           'send.max_bytes=256MiB', 'heartbeat.interval=60s']


class Wrong(Exception):
    pass


def bits(agreed, name):
    """The window of one side in the parameters agreed on."""
    m = re.search(name + r'_max_window_bits=(\d+)', agreed)
    return int(m.group(1)) if m else 15


class Player:
    """One case over one connection: peer is ours, the other side echoes."""

    def __init__(self, case, peer, agreed):
        self.case, self.peer = case, peer
        mine, its = ('client', 'server') if peer.client else ('server', 'client')
        if agreed is not None:
            self.squeeze = Squeeze(bits(agreed, mine), f'{mine}_no_context_takeover' in agreed)
            self.forgets, self.window = f'{its}_no_context_takeover' in agreed, bits(agreed, its)
            self.unsqueeze = None
        self.agreed = agreed

    def encode(self, step):
        if isinstance(step, Frame):
            masked = not self.peer.client if step.masked == 'wrong' else None
            return self.peer.frame(step.kind, step.body, fin=step.fin, rsv=step.rsv, mask=masked, length=step.length)
        if step[0] == 'long':   # a header whose length is of this form
            form, length = step[1], step[2]
            key = b'\x01\x02\x03\x04' if self.peer.client else b''
            return bytes([0x82, form | (0x80 if key else 0)]) + length.to_bytes(2 if form == 126 else 8, 'big') + key + b'12345'
        _, kind, body, n = step
        frames = pieces(kind, self.squeeze(body), n or 1 << 30)
        frames[0].rsv = 4
        return b''.join(self.encode(f) for f in frames)

    def write(self):
        data = b''.join(self.encode(s) for s in self.case.send)
        chop = self.case.chop or len(data)
        try:
            for i in range(0, len(data), chop):
                self.peer.write(data[i:i + chop])
        except OSError:
            pass  # it has had enough; what it says about it is read

    def hear(self):
        """The next message, pong or close frame: kind, body."""
        kind, parts, squeezed = None, [], False
        while True:
            f = self.peer.read_frame()
            name = NAMES.get(f['opcode'], f['opcode'])
            if f['rsv'] & 3 or (f['rsv'] and name in (CONT, CLOSE, PING, PONG)):
                raise Wrong(f'reserved bits {f["rsv"]} on a {name} frame')
            if name in (CLOSE, PING, PONG):
                if not f['fin'] or len(f['payload']) > 125:
                    raise Wrong(f'a bad {name} frame came')
                return name, f['payload']
            if (name == CONT) != (kind is not None):
                raise Wrong(f'a {name} frame came out of order')
            if name != CONT:
                kind, squeezed = name, f['rsv'] == 4
            parts.append(f['payload'])
            if f['fin']:
                return kind, self.inflate(b''.join(parts), squeezed)

    def inflate(self, body, squeezed):
        if squeezed != (self.agreed is not None):
            raise Wrong('a compressed message came' if squeezed else 'a message that is not compressed came')
        if not squeezed:
            return body
        if self.unsqueeze is None or self.forgets:
            self.unsqueeze = zlib.decompressobj(-self.window)
        return self.unsqueeze.decompress(body + b'\x00\x00\xff\xff')

    def play(self):
        writer = threading.Thread(target=self.write)
        writer.start()
        try:
            self.listen(writer)
        finally:
            self.peer.shut_down()
            writer.join()

    def listen(self, writer):
        case = self.case
        for i, (kind, body) in enumerate(case.hears):
            got = self.hear()
            if got != (kind, body):
                raise Wrong(f'number {i}: wanted {kind} of {len(body)} bytes {body[:60]!r}, got {got[0]} of {len(got[1])} {got[1][:60]!r}')
        if case.ends is None:
            writer.join()
            self.peer.write(self.encode(close(1000)))
        kind, body = self.hear()
        if kind != CLOSE:
            raise Wrong(f'wanted the close, got {kind} of {len(body)} bytes {body[:60]!r}')
        code = int.from_bytes(body[:2], 'big') if body else 1005
        wanted = 1000 if case.ends is None else case.ends
        if code != wanted:
            raise Wrong(f'wanted close code {wanted}, got {code} {body[2:]!r}')
        if self.peer.client:
            self.ended()

    def ended(self):
        """7.1.1: it is the server that ends the connection."""
        try:
            f = self.peer.read_frame()
        except EOFError:
            return
        raise Wrong(f'after the close frame: {f}')


class Peer(RawPeer):
    def shut_down(self):
        """Wakes a writer that is stuck, and says that we are done."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def answered(fields):
    """What a handshake's header agrees on, or None."""
    line = fields.get('header.sec-websocket-extensions')
    return None if line is None else line.partition(';')[2]


class Provider:
    """The case dials it, as a client."""
    role = 'provider'

    def __init__(self, program, patience):
        self.patience, self.peer = patience, Peer(patience)
        self.process = subprocess.Popen([program, *OPTIONS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = re.search(r':(\d+)/', self.process.stdout.readline()).group(1)

    def connect(self, case):
        self.peer.dispose()
        self.peer = Peer(self.patience)
        self.peer.dial(self.port)
        headers = {}
        if case.agreed is not None:
            headers['Sec-WebSocket-Extensions'] = '; '.join(filter(None, ['permessage-deflate', case.agreed]))
        agreed = answered(self.peer.upgrade(headers=headers))
        if case.agreed is not None and agreed is None:
            raise Wrong('permessage-deflate was not agreed on')
        return self.peer, agreed

    def end(self):
        self.peer.dispose()
        self.process.stdin.close()
        return self.process.wait(self.patience)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.peer.dispose()


class Consumer:
    """It dials us for each case; we are the server."""
    role = 'consumer'

    def __init__(self, program, patience, cases):
        self.patience = patience
        self.peer = Peer(patience)
        self.peer.listen()
        base = f'ws://127.0.0.1:{self.peer.facts["port"]}'
        self.process = subprocess.Popen([program, '--autobahn', base, 'us', *OPTIONS], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)
        self.meet()
        self.peer.write(self.peer.frame('text', b'%d' % cases))
        self.farewell()

    def meet(self, extension=None):
        self.peer.accept()
        headers = {} if extension is None else {'Sec-WebSocket-Extensions': '; '.join(filter(None, ['permessage-deflate', extension]))}
        self.peer.answer(headers=headers)

    def farewell(self):
        self.peer.write(self.peer.frame(CLOSE, b'\x03\xe8'))
        self.peer.expect('close')
        self.peer.sock.close()

    def connect(self, case):
        self.meet(case.agreed)
        if case.agreed is not None and 'permessage-deflate' not in self.peer.facts.get('header.sec-websocket-extensions', ''):
            raise Wrong('permessage-deflate was not offered')
        return self.peer, case.agreed

    def end(self):
        self.meet()  # updateReports
        self.farewell()
        return self.process.wait(self.patience)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.peer.dispose()


def play_role(other, cases, verbose):
    """(passed, failed) of one role."""
    passed = failed = 0
    try:
        for case in cases:
            try:
                peer, agreed = other.connect(case)
                Player(case, peer, agreed).play()
                passed += 1
                if verbose:
                    print(f'ok      {other.role} {case.name}', flush=True)
            except (Wrong, RawError, OSError, EOFError, zlib.error) as e:
                failed += 1
                print(f'FAILED  {other.role} {case.name}: {e!r}', flush=True)
        code = other.end()
        if code != 0:
            failed += 1
            print(f'FAILED  the echo {other.role} ended with exit code {code}')
    finally:
        other.kill()
    return passed, failed


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--provider', required=True)
    p.add_argument('--consumer', required=True)
    p.add_argument('--only', default='')
    p.add_argument('--patience', type=float, default=10.0)
    p.add_argument('--verbose', '-v', action='store_true')
    args = p.parse_args()
    cases = [c for c in every() if args.only in c.name]
    results = [play_role(Provider(args.provider, args.patience), cases, args.verbose),
               play_role(Consumer(args.consumer, args.patience, len(cases)), cases, args.verbose)]
    passed, failed = (sum(r[i] for r in results) for i in (0, 1))
    print(f'{passed} passed, {failed} failed, 0 skipped')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
