"""The wire between two network namespaces: copies frames between the two
interfaces given, and loses some of them. Lines on stdin set how many percent
of the frames that carry UDP (`loss N`); each is answered by `ok A B`, how many
that came from the first and the second were lost so far."""
import random
import select
import socket
import sys

_VNET_HEADER = 15  # PACKET_VNET_HDR: with it, checksums that nobody has made yet stay marked as such
_UDP = 17


def port(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.setsockopt(263, _VNET_HEADER, 1)  # SOL_PACKET
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    s.bind((name, 0))
    return s


def main():
    a, b = (port(name) for name in sys.argv[1:3])
    rng, loss, lost = random.Random(4454), 0, {a: 0, b: 0}
    print('ready', flush=True)
    while True:
        for s in select.select([a, b, sys.stdin], [], [])[0]:
            if s is sys.stdin:
                words = sys.stdin.readline().split()
                if not words:
                    return
                loss = int(words[1])
                print('ok', lost[a], lost[b], flush=True)
                continue
            frame, where = s.recvfrom(70000)
            if where[2] == 4:  # PACKET_OUTGOING: our own copy
                continue
            ip = frame[10:]
            if ip[12:14] == b'\x08\x00' and ip[23] == _UDP and rng.randrange(100) < loss:
                lost[s] += 1
                continue
            (b if s is a else a).send(frame)


if __name__ == '__main__':
    main()
