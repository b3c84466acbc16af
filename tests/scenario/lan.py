"""A peer of a LAN made of bytes: hears the group of a scenario on the loopback
interface, and sends what no honest hub sends."""
import os
import random
import socket
import struct
import time


def place():
    """A group and port that no other scenario of this host has."""
    r = random.SystemRandom()
    return f'239.{r.randint(192, 251)}.{r.randint(0, 255)}.{r.randint(1, 254)}', str(r.randint(20000, 32000))


class Caster:
    def __init__(self, group, port, patience):
        self.group, self.patience, self.heard = (group, int(port)), patience, []
        self.sender, self.counter = os.urandom(16), 0
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        request = struct.pack('=4s4si', socket.inet_aton(group), b'\0' * 4, socket.if_nametoindex('lo'))
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
        self.sock.bind(self.group)

    def hear(self, text, least):
        """Datagrams, until one has these bytes and is so long; it is kept. None: there came none."""
        end = time.monotonic() + self.patience
        while True:
            self.sock.settimeout(max(0.001, end - time.monotonic()))
            try:
                datagram = self.sock.recv(65536)
            except TimeoutError:
                return None
            if text in datagram and len(datagram) >= least:
                self.heard.append(datagram)
                return datagram

    def again(self, flip=None, cut=0, pad=0):
        """Sends what was kept once more: one bit of the byte `flip` changed, cut or padded."""
        for datagram in self.heard:
            d = bytearray(datagram[:len(datagram) - cut]) + os.urandom(pad)
            if flip is not None:
                d[flip] ^= 1
            self.cast(bytes(d))

    def forge(self, message):
        """A message in the clear, as a hub would send it (PROTOCOL.md, 8.13)."""
        self.counter += 1
        head = b'MWL\x01' + bytes(4) + self.sender + struct.pack('>QQ', self.counter, time.time_ns() // 1000000)
        self.cast(head + bytes([self.counter, 0, 1]) + message)

    def cast(self, datagram):
        self.sock.sendto(datagram, self.group)
