"""Byte vectors for both roles, written from RFC 6455, RFC 3629 and RFC 7692.

A case is what one side sends and what an echoing other side must say to it.
The names of the groups are those of the sections; play_vectors.py plays them."""
import random
import zlib
from dataclasses import dataclass, field

TEXT, BINARY, CONT, CLOSE, PING, PONG = 'text', 'binary', 'cont', 'close', 'ping', 'pong'


@dataclass
class Frame:
    kind: object                # a name, or the number of an opcode
    body: bytes = b''
    fin: bool = True
    rsv: int = 0
    length: int = None          # what the header says, where that is not true
    masked: bool = None         # where the role would do otherwise


@dataclass
class Case:
    name: str
    send: list
    hears: list = field(default_factory=list)   # (kind, body) of whole messages and pongs, in order
    ends: int = None            # the close code that comes; None: we close with 1000 and hear it back
    chop: int = 0               # bytes in one write; 0: all in one
    agreed: str = None          # parameters of permessage-deflate; None: not agreed on


def close(code=1000, reason=b''):
    return Frame(CLOSE, code.to_bytes(2, 'big') + reason)


def letters(n):
    return (b'abcdefghijklmnopqrstuvwxyz' * (n // 26 + 1))[:n]


def noise(n):
    return random.Random(n).randbytes(n)


def pieces(kind, body, n, **how):
    """The message in fragments of n bytes."""
    parts = [body[i:i + n] for i in range(0, len(body), n)] or [b'']
    return [Frame(kind if i == 0 else CONT, p, fin=i == len(parts) - 1, **how) for i, p in enumerate(parts)]


# ---- RFC 6455 5.2, 5.6: messages ---------------------------------------------

def messages():
    for kind, body in ((TEXT, letters), (BINARY, noise)):
        for n in (0, 1, 125, 126, 127, 128, 65535, 65536):
            m = body(n)
            yield Case(f'message/{kind} of {n} bytes', [Frame(kind, m)], [(kind, m)])
        m = body(65536)
        yield Case(f'message/{kind} of 65536 bytes in writes of 997', [Frame(kind, m)], [(kind, m)], chop=997)
        m = body(300)
        yield Case(f'message/{kind} of 300 bytes in writes of 1', [Frame(kind, m)], [(kind, m)], chop=1)


# ---- 5.5.2, 5.5.3: pings and pongs ---------------------------------------------

def pings():
    for name, body in (('empty', b''), ('text', b'Hello, world!'), ('binary', b'\x00\xff\xfe\xfd\xfc\xfb\x00\xff'),
                       ('125 bytes', b'\xfe' * 125)):
        yield Case(f'ping/{name}', [Frame(PING, body)], [(PONG, body)])
        yield Case(f'ping/{name} in writes of 1', [Frame(PING, body)], [(PONG, body)], chop=1)
        yield Case(f'ping/a pong nobody asked for, {name}', [Frame(PONG, body)])
    for n in (126, 127, 65536):
        yield Case(f'ping/{n} bytes', [Frame(PING, b'\xfe' * n)], ends=1002)
        yield Case(f'ping/a pong of {n} bytes', [Frame(PONG, b'\xfe' * n)], ends=1002)
    yield Case('ping/after a pong nobody asked for', [Frame(PONG, b'x'), Frame(PING, b'y')], [(PONG, b'y')])
    ten = [b'payload-%d' % i for i in range(10)]
    for chop in (0, 1):
        yield Case(f'ping/ten in writes of {chop or "all"}', [Frame(PING, b) for b in ten], [(PONG, b) for b in ten], chop=chop)


# ---- 5.2: reserved bits and opcodes, masks ---------------------------------------

def reserved():
    hello, before = Frame(TEXT, b'Hello'), [(TEXT, b'Hello')]
    for rsv in range(1, 8):
        bad = Frame(TEXT, b'bits', rsv=rsv)
        yield Case(f'reserved/bits {rsv} alone', [Frame(BINARY, b'\x00\xff', rsv=rsv)], ends=1002)
        yield Case(f'reserved/bits {rsv} after a message', [hello, bad], before, ends=1002)
        yield Case(f'reserved/bits {rsv} after a message, in writes of 1', [hello, bad, Frame(PING)], before, ends=1002, chop=1)
        yield Case(f'reserved/bits {rsv} in a ping', [hello, Frame(PING, b'', rsv=rsv)], before, ends=1002)
        yield Case(f'reserved/bits {rsv} in a close frame', [Frame(CLOSE, b'\x03\xe8', rsv=rsv)], ends=1002)
    for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield Case(f'reserved/opcode {op} alone', [Frame(op)], ends=1002)
        yield Case(f'reserved/opcode {op} with a payload', [Frame(op, b'reserved')], ends=1002)
        yield Case(f'reserved/opcode {op} after a message', [hello, Frame(op, b'reserved'), Frame(PING)], before, ends=1002)
        yield Case(f'reserved/opcode {op} after a message, in writes of 1', [hello, Frame(op, b'reserved')], before, ends=1002,
                   chop=1)
    for kind in (TEXT, PING, CLOSE):
        yield Case(f'reserved/a {kind} frame whose mask is wrong', [Frame(kind, b'\x03\xe8', masked='wrong')], ends=1002)
    for least, length in ((b'\x82', 126), (b'\x82', 127)):
        yield Case(f'reserved/a length that is not minimal, {length}', [('long', length, 5)], ends=1002)
    yield Case('reserved/a length over 63 bits', [('long', 127, 1 << 63)], ends=1002)


# ---- 5.4: fragments ----------------------------------------------------------------

def fragments():
    two = [Frame(TEXT, b'fragment1', fin=False), Frame(CONT, b'fragment2')]
    whole = (TEXT, b'fragment1fragment2')
    for kind in (PING, PONG, CLOSE):
        for body in (b'', b'\x03\xe8'):
            yield Case(f'fragment/a {kind} frame in pieces, {len(body)} bytes',
                       [Frame(kind, body, fin=False), Frame(CONT, b'more')], ends=1002)
    for chop in (0, 1, 997):
        name = f'in writes of {chop}' if chop else 'in one write'
        yield Case(f'fragment/two, {name}', two, [whole], chop=chop)
        yield Case(f'fragment/a ping between, {name}', [two[0], Frame(PING, b'ping'), two[1]], [(PONG, b'ping'), whole], chop=chop)
        yield Case(f'fragment/empty ones, {name}', [Frame(TEXT, fin=False), Frame(CONT, fin=False), Frame(CONT)], [(TEXT, b'')],
                   chop=chop)
        yield Case(f'fragment/an empty one between, {name}',
                   [Frame(BINARY, b'a', fin=False), Frame(CONT, fin=False), Frame(CONT, b'b')], [(BINARY, b'ab')], chop=chop)
        for fin in (True, False):
            yield Case(f'fragment/a continuation of nothing, {name}, fin {fin}', [Frame(CONT, b'of nothing', fin=fin),
                       Frame(TEXT, b'Hello')], ends=1002, chop=chop)
            yield Case(f'fragment/a continuation after the end, {name}, fin {fin}', two + [Frame(CONT, b'late', fin=fin)],
                       [whole], ends=1002, chop=chop)
        yield Case(f'fragment/a message inside a message, {name}', [two[0], Frame(TEXT, b'whole')], ends=1002, chop=chop)
        five = [Frame(TEXT, b'fragment1', fin=False), Frame(CONT, b'fragment2', fin=False), Frame(PING, b'ping 1'),
                Frame(CONT, b'fragment3', fin=False), Frame(CONT, b'fragment4', fin=False), Frame(PING, b'ping 2'),
                Frame(CONT, b'fragment5')]
        yield Case(f'fragment/five and two pings, {name}', five,
                   [(PONG, b'ping 1'), (PONG, b'ping 2'), (TEXT, b'fragment1fragment2fragment3fragment4fragment5')], chop=chop)
    for n in (1, 1300, 4096):
        m = letters(n * 50)
        yield Case(f'fragment/fifty of {n} bytes', pieces(TEXT, m, n), [(TEXT, m)])


# ---- 8.1 and RFC 3629: text --------------------------------------------------------

GOOD = {
    'Greek': 'κόσμε'.encode(), 'nothing': b'', 'NUL': b'\0', 'last of one byte': b'\x7f',
    'first of two': '\u0080'.encode(), 'last of two': '\u07ff'.encode(), 'first of three': '\u0800'.encode(),
    'last before the surrogates': '\ud7ff'.encode(), 'first after them': '\ue000'.encode(),
    'replacement': '\ufffd'.encode(), 'last of three': '\uffff'.encode(), 'noncharacter FFFE': '\ufffe'.encode(),
    'noncharacter FDD0': '\ufdd0'.encode(), 'first of four': '\U00010000'.encode(), 'last of all': '\U0010ffff'.encode(),
    'noncharacters of every plane': ''.join(chr(p << 16 | 0xfffe) + chr(p << 16 | 0xffff) for p in range(17)).encode(),
    'byte order mark': b'\xef\xbb\xbfx', 'all lengths': 'aé€😀'.encode() * 9,
}
BAD = {
    'a lone continuation 80': b'\x80', 'a lone continuation BF': b'\xbf', 'two continuations': b'\x80\xbf',
    'every continuation': bytes(range(0x80, 0xc0)), 'FE': b'\xfe', 'FF': b'\xff', 'FE FE FF FF': b'\xfe\xfe\xff\xff',
    'five bytes': b'\xf8\x88\x80\x80\x80', 'six bytes': b'\xfc\x84\x80\x80\x80\x80',
    'over 10FFFF': b'\xf4\x90\x80\x80', 'F5': b'\xf5\x80\x80\x80', 'F7': b'\xf7\xbf\xbf\xbf',
    'overlong slash of two': b'\xc0\xaf', 'overlong slash of three': b'\xe0\x80\xaf', 'overlong slash of four': b'\xf0\x80\x80\xaf',
    'longest overlong of two': b'\xc1\xbf', 'longest overlong of three': b'\xe0\x9f\xbf',
    'longest overlong of four': b'\xf0\x8f\xbf\xbf', 'overlong NUL': b'\xc0\x80',
    'surrogate D800': b'\xed\xa0\x80', 'surrogate DBFF': b'\xed\xaf\xbf', 'surrogate DC00': b'\xed\xb0\x80',
    'surrogate DFFF': b'\xed\xbf\xbf', 'a pair of surrogates': b'\xed\xa0\x80\xed\xb0\x80',
    'two bytes cut': b'\xce', 'three bytes cut after one': b'\xe2', 'three bytes cut after two': b'\xe2\x82',
    'four bytes cut after one': b'\xf0', 'four bytes cut after two': b'\xf0\x9f', 'four bytes cut after three': b'\xf0\x9f\x98',
    'two bytes broken': b'\xce ', 'three bytes broken': b'\xe2\x82 ', 'four bytes broken': b'\xf0\x9f\x98 ',
    **{f'first byte {b:02X} and a space': bytes([b, 0x20]) for b in (*range(0xc2, 0xf5, 5), 0xf4)},
}


def texts():
    for name, good in GOOD.items():
        for where, text in (('alone', good), ('in the middle', b'Hello-' + good + b'-world')):
            yield Case(f'text/{name}, {where}', [Frame(TEXT, text)], [(TEXT, text)])
            yield Case(f'text/{name}, {where}, a fragment a byte', pieces(TEXT, text, 1), [(TEXT, text)])
            yield Case(f'text/{name}, {where}, in writes of 1', [Frame(TEXT, text)], [(TEXT, text)], chop=1)
    for name, bad in BAD.items():
        for where, text in (('alone', bad), ('at the end', b'Hello-' + bad)):
            yield Case(f'text/{name}, {where}', [Frame(TEXT, text)], ends=1007)
            yield Case(f'text/{name}, {where}, a fragment a byte', pieces(TEXT, text, 1), ends=1007)
        yield Case(f'text/{name}, in the middle', [Frame(TEXT, b'Hello-' + bad + b'-world')], ends=1007)
        yield Case(f'text/{name} is good as binary', [Frame(BINARY, bad)], [(BINARY, bad)])
    # What can become no text any more is refused before the frame or the message is whole.
    for name, bad in (('over 10FFFF', b'\xf4\x90'), ('surrogate', b'\xed\xa0'), ('overlong', b'\xc0'), ('FF', b'\xff')):
        yield Case(f'text/{name} is refused before the message ends', [Frame(TEXT, 'κόσμε'.encode() + bad, fin=False)], ends=1007)
        yield Case(f'text/{name} is refused before the frame ends', [Frame(TEXT, 'κόσμε'.encode() + bad, length=1000)], ends=1007)
        yield Case(f'text/{name} is refused before a continuation ends',
                   [Frame(TEXT, 'κόσ'.encode(), fin=False), Frame(CONT, bad, length=1000)], ends=1007)


# ---- 5.5.1, 7.1, 7.4: closing ----------------------------------------------------------

def closes():
    hello = Frame(TEXT, b'Hello')
    yield Case('close/after a message', [hello, close()], [(TEXT, b'Hello')], ends=1000)
    yield Case('close/twice', [close(), close()], ends=1000)
    yield Case('close/a ping after it is not answered', [close(), Frame(PING, b'x')], ends=1000)
    yield Case('close/a message after it is not heard', [close(), hello], ends=1000)
    yield Case('close/inside a fragmented message', [Frame(TEXT, b'fragment1', fin=False), close(), Frame(CONT, b'fragment2')],
               ends=1000)
    big = letters(256 * 1024)
    yield Case('close/what was heard before is echoed', [Frame(TEXT, big), hello, close()], [(TEXT, big), (TEXT, b'Hello')],
               ends=1000)
    yield Case('close/without a code', [Frame(CLOSE)], ends=1005)
    yield Case('close/of one byte', [Frame(CLOSE, b'\x03')], ends=1002)
    yield Case('close/with a reason', [close(1000, 'grüß dich'.encode())], ends=1000)
    yield Case('close/with a reason of 123 bytes', [close(1000, b'*' * 123)], ends=1000)
    yield Case('close/with a reason of 124 bytes', [close(1000, b'*' * 124)], ends=1002)
    for name, bad in (('cut', b'\xce'), ('surrogate', b'\xed\xa0\x80'), ('overlong', b'\xc0\xaf')):
        yield Case(f'close/with a reason that is no text, {name}', [close(1000, b'Hello-' + bad)], ends=1007)
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999):
        for reason in (b'', b'why'):
            yield Case(f'close/code {code}{" and a reason" if reason else ""}', [close(code, reason)], ends=code)
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535):
        yield Case(f'close/code {code} is not for the wire', [close(code)], ends=1002)


# ---- large messages, many messages -------------------------------------------------

def loads():
    for kind, body in ((TEXT, letters), (BINARY, noise)):
        for n in (64, 256, 1024, 4096):
            m = body(n * 1024)
            yield Case(f'load/{kind} of {n} KiB', [Frame(kind, m)], [(kind, m)])
        m = body(1 << 20)
        for n in (256, 4096, 65536, 1 << 19):
            yield Case(f'load/{kind} of 1 MiB in fragments of {n}', pieces(kind, m, n), [(kind, m)])
        for n in (64, 512, 2048):
            yield Case(f'load/{kind} of 256 KiB in writes of {n}', [Frame(kind, m[:1 << 18])], [(kind, m[:1 << 18])], chop=n)
        for n in (0, 16, 64, 256, 1024, 4096):
            m = body(n)
            yield Case(f'load/a thousand {kind}s of {n} bytes', [Frame(kind, m)] * 1000, [(kind, m)] * 1000)


# ---- RFC 7692: permessage-deflate --------------------------------------------------

class Squeeze:
    """A sender's side of permessage-deflate (7.2.1)."""

    def __init__(self, bits=15, forget=False):
        self.bits, self.forget, self.z = bits, forget, None

    def __call__(self, body):
        if self.z is None or self.forget:
            self.z = zlib.compressobj(9, zlib.DEFLATED, -self.bits)
        data = self.z.compress(body) + self.z.flush(zlib.Z_SYNC_FLUSH)
        return data[:-4]


def deflate():
    # 7.2.3, byte for byte.
    for name, stream in (
            ('one block', [b'\xf2\x48\xcd\xc9\xc9\x07\x00']),
            ('two messages, the second by reference', [b'\xf2\x48\xcd\xc9\xc9\x07\x00', b'\xf2\x00\x11\x00\x00']),
            ('a block without compression', [b'\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00']),
            ('BFINAL set', [b'\xf3\x48\xcd\xc9\xc9\x07\x00\x00']),
            ('two blocks', [b'\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00'])):
        yield Case(f'deflate/{name}', [Frame(TEXT, s, rsv=4) for s in stream], [(TEXT, b'Hello')] * len(stream), agreed='')
        for n in (1, 3):
            sent = []
            for s in stream:
                sent += pieces(TEXT, s, n)
                sent[-len(pieces(TEXT, s, n))].rsv = 4
            yield Case(f'deflate/{name}, in fragments of {n}', sent, [(TEXT, b'Hello')] * len(stream), agreed='')
    yield Case('deflate/an empty message', [Frame(TEXT, b'\x00', rsv=4)], [(TEXT, b'')], agreed='')
    yield Case('deflate/a message that is not compressed', [Frame(TEXT, b'Hello')], [(TEXT, b'Hello')], agreed='')
    yield Case('deflate/compressed and not, by turns', [Frame(TEXT, b'\xf2\x48\xcd\xc9\xc9\x07\x00', rsv=4), Frame(TEXT, b'plain'),
               Frame(TEXT, b'\xf2\x00\x11\x00\x00', rsv=4)], [(TEXT, b'Hello'), (TEXT, b'plain'), (TEXT, b'Hello')], agreed='')
    yield Case('deflate/a ping between fragments', [Frame(TEXT, b'\xf2\x48\xcd', fin=False, rsv=4), Frame(PING, b'x'),
               Frame(CONT, b'\xc9\xc9\x07\x00')], [(PONG, b'x'), (TEXT, b'Hello')], agreed='')
    # 6.1: the bit is on the first frame of a data message only; 7.1.1: 5.2 of RFC 6455 for the other bits.
    yield Case('deflate/the bit on a continuation', [Frame(TEXT, b'\xf2\x48\xcd', fin=False, rsv=4),
               Frame(CONT, b'\xc9\xc9\x07\x00', rsv=4)], ends=1002, agreed='')
    for kind in (PING, CLOSE):
        yield Case(f'deflate/the bit on a {kind} frame', [Frame(kind, b'\x03\xe8', rsv=4)], ends=1002, agreed='')
    yield Case('deflate/another bit beside it', [Frame(TEXT, b'\xf2\x48\xcd\xc9\xc9\x07\x00', rsv=6)], ends=1002, agreed='')
    # 1007: "data within a message that was not consistent with the type" (7.4.1 of RFC 6455).
    yield Case('deflate/what is no deflate', [Frame(BINARY, b'\xff' * 20, rsv=4)], ends=1007, agreed='')
    yield Case('deflate/text that is none', [Frame(TEXT, Squeeze()(b'Hello-\xed\xa0\x80'), rsv=4)], ends=1007, agreed='')

    client, server = 'client_no_context_takeover', 'server_no_context_takeover'
    for agreed in ('', client, server, f'{client}; {server}', 'client_max_window_bits=9', 'server_max_window_bits=9',
                   f'client_max_window_bits=12; server_max_window_bits=12; {server}', 'client_max_window_bits=15'):
        for kind, body in ((TEXT, letters), (BINARY, noise)):
            for n in (16, 256, 4096, 131072):
                m = body(n)
                yield Case(f'deflate/agreed "{agreed}": ten {kind}s of {n} bytes', [('squeeze', kind, m, 0)] * 10, [(kind, m)] * 10, agreed=agreed)
            m = body(32768)
            yield Case(f'deflate/agreed "{agreed}": {kind}s in fragments', [('squeeze', kind, m, 256)] * 5, [(kind, m)] * 5, agreed=agreed)
            yield Case(f'deflate/agreed "{agreed}": {kind}s in writes of 100', [('squeeze', kind, m, 0)] * 3, [(kind, m)] * 3, agreed=agreed, chop=100)


def every():
    cases = [c for group in (messages, pings, reserved, fragments, texts, closes, loads, deflate) for c in group()]
    names = [c.name for c in cases]
    assert len(set(names)) == len(names), [n for n in names if names.count(n) > 1]
    return cases
