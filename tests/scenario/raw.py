"""A peer made of bytes: dials or listens, speaks just enough HTTP and RFC 6455
to send what no honest peer sends and to say exactly what came back."""
import base64
import hashlib
import json
import os
import select
import socket
import ssl
import struct
import time

_GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
_OPCODES = {'cont': 0, 'text': 1, 'binary': 2, 'close': 8, 'ping': 9, 'pong': 10}


class RawError(Exception):
    pass


class RawPeer:
    def __init__(self, patience):
        self.patience = patience
        self.listener = self.sock = self.context = None
        self.inbox = b''
        self.client = True      # masks what it sends
        self.request = ''
        self.facts = {}

    def dispose(self):
        for s in (self.sock, self.listener):
            if s is not None:
                s.close()

    # -- sockets
    def dial(self, port, tls=None):
        """port: of 127.0.0.1, or the file of a unix socket. tls: the authority to believe."""
        if port.startswith('/'):
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.patience)
            self.sock.connect(port)
        else:
            self.sock = socket.create_connection(('127.0.0.1', int(port)), timeout=self.patience)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context(cafile=tls)
            self.sock = context.wrap_socket(self.sock, server_hostname='localhost')

    def listen(self, tls=None, file=None):
        """tls: a key and a certificate, NAME.key and NAME.pem. file: of a unix socket."""
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(tls + '.pem', tls + '.key')
        if file:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(file)
            self.listener.listen()
            port, url = file, f'ws+unix:{file}:/connect'
        else:
            self.listener = socket.create_server(('127.0.0.1', 0))
            port = self.listener.getsockname()[1]
            url = f'{"wss" if tls else "ws"}://127.0.0.1:{port}/connect'
        self.listener.settimeout(self.patience)
        self.client = False
        self.facts = {'port': str(port), 'url': url}

    def accept(self, within=None):
        if self.sock is not None:
            self.sock.close()
        self.inbox = b''
        self.listener.settimeout(within or self.patience)
        try:
            self.sock, _ = self.listener.accept()
        except TimeoutError:
            raise RawError('nobody came')
        self.sock.settimeout(self.patience)
        if self.context:
            try:
                self.sock = self.context.wrap_socket(self.sock, server_side=True)
            except (ssl.SSLError, ConnectionError):
                self.inbox = b''  # refused: the other side says why

    def write(self, data):
        self.sock.sendall(data)

    def slowly(self, data, gap):
        """A byte at a time; ends quietly when the other side has had enough."""
        try:
            for b in data:
                self.sock.sendall(bytes([b]))
                if self._came(gap):
                    return
        except (BrokenPipeError, ConnectionResetError):
            return

    def _came(self, gap):
        """Has the other side said or ended something within gap? A session ticket of TLS is neither."""
        if not select.select([self.sock], [], [], gap)[0]:
            return False
        self.sock.settimeout(0)
        try:
            self.inbox += self.sock.recv(65536)
            return True
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            self.sock.settimeout(self.patience)

    def shut(self):
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.sock.close()

    def _more(self):
        try:
            data = self.sock.recv(65536)
        except TimeoutError:
            raise RawError(f'nothing came; {len(self.inbox)} bytes so far: {self.inbox[:120]!r}')
        except ConnectionResetError:
            raise EOFError('reset')
        if not data:
            raise EOFError('end')
        self.inbox += data

    def _need(self, n):
        while len(self.inbox) < n:
            self._more()
        data, self.inbox = self.inbox[:n], self.inbox[n:]
        return data

    def head(self):
        while b'\r\n\r\n' not in self.inbox:
            self._more()
        head, self.inbox = self.inbox.split(b'\r\n\r\n', 1)
        return head.decode('latin-1')

    # -- upgrade
    @staticmethod
    def request_text(path='/connect', host='127.0.0.1', headers=None, drop=(), key=None):
        key = key or base64.b64encode(os.urandom(16)).decode()
        lines = {'Host': host, 'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Version': '13',
                 'Sec-WebSocket-Key': key}
        lines.update(headers or {})
        for name in drop:
            lines.pop(name, None)
        return f'GET {path} HTTP/1.1\r\n' + ''.join(f'{k}: {v}\r\n' for k, v in lines.items()) + '\r\n', key

    def upgrade(self, path='/connect', headers=None, drop=(), early=b'', status=101):
        text, key = self.request_text(path, headers=headers, drop=drop)
        self.write(text.encode('latin-1') + early)
        return self.response(status, key)

    def response(self, status, key=None):
        head = self.head()
        first = head.split('\r\n')[0]
        self.facts['head'] = head
        if first.split(' ')[1] != str(status):
            raise RawError(f'wanted HTTP {status}, got {head!r}')
        fields = {k.lower(): v for k, _, v in (l.partition(': ') for l in head.split('\r\n')[1:])}
        if status == 101 and key:
            want = base64.b64encode(hashlib.sha1(key.encode() + _GUID).digest()).decode()
            if fields.get('sec-websocket-accept') != want:
                raise RawError(f'wrong accept key: {head!r}')
        if status != 101:
            length = int(fields.get('content-length', 0))
            self.facts['body'] = self._need(length).decode('latin-1')
        self.facts.update({f'header.{k}': v for k, v in fields.items()})
        return self.facts

    def answer(self, status=101, headers=None, body='', early=b'', key=None):
        """As a server: reads the request, answers it."""
        self.request = self.head()
        fields = {k.lower(): v for k, _, v in (l.partition(': ') for l in self.request.split('\r\n')[1:])}
        self.facts.update({f'header.{k}': v for k, v in fields.items()})
        self.facts['request'] = self.request.split('\r\n')[0]
        if status == 101:
            accept = key or base64.b64encode(hashlib.sha1(fields['sec-websocket-key'].encode() + _GUID).digest()).decode()
            lines = {'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Accept': accept}
        else:
            lines = {'Content-Length': str(len(body)), 'Connection': 'close'}
        lines.update(headers or {})
        self.write(f'HTTP/1.1 {status} X\r\n'.encode() + ''.join(f'{k}: {v}\r\n' for k, v in lines.items()).encode() +
                   b'\r\n' + body.encode('latin-1') + early)

    # -- frames
    def frame(self, opcode, payload=b'', fin=True, rsv=0, mask=None, length=None):
        masked = self.client if mask is None else mask
        first = (0x80 if fin else 0) | rsv << 4 | (_OPCODES[opcode] if opcode in _OPCODES else int(opcode))
        n = len(payload) if length is None else length
        bit = 0x80 if masked else 0
        if n < 126:
            head = struct.pack('!BB', first, bit | n)
        elif n < 65536:
            head = struct.pack('!BBH', first, bit | 126, n)
        else:
            head = struct.pack('!BBQ', first, bit | 127, n)
        if masked:
            key = os.urandom(4)
            head += key
            payload = bytes(b ^ key[i & 3] for i, b in enumerate(payload))
        return head + payload

    def read_frame(self):
        b0, b1 = self._need(2)
        n = b1 & 127
        if n == 126:
            n = struct.unpack('!H', self._need(2))[0]
        elif n == 127:
            n = struct.unpack('!Q', self._need(8))[0]
        if bool(b1 & 0x80) == self.client:
            raise RawError('masked by a server' if self.client else 'not masked by a client')
        key = self._need(4) if b1 & 0x80 else None
        payload = self._need(n)
        if key:
            payload = bytes(b ^ key[i & 3] for i, b in enumerate(payload))
        return {'opcode': b0 & 15, 'fin': b0 >> 7, 'rsv': b0 >> 4 & 7, 'payload': payload}

    def record(self):
        """What comes before the next NUL, on a bare stream."""
        while b'\0' not in self.inbox:
            self._more()
        body, self.inbox = self.inbox.split(b'\0', 1)
        return {'len': str(len(body)), 'body': body.decode('latin-1')}

    # -- packets of cluster-client: head of 24 bytes, JSON, bytes of the application
    @staticmethod
    def packet(kind, number, conn, app=b'', timeout=3000, length=None):
        conn = conn.encode()
        head = struct.pack('>BBHQIII', 1, kind == 'response', 0, number, timeout, len(conn), len(app) if length is None else length)
        return head + conn + app

    def expect_packet(self):
        _, response, _, number, timeout, conn, app = struct.unpack('>BBHQIII', self._need(24))
        facts = {'kind': 'response' if response else 'request', 'id': str(number), 'timeout': str(timeout)}
        conn = json.loads(self._need(conn))
        facts.update({f'conn.{k}': v if isinstance(v, str) else json.dumps(v, separators=(',', ':')) for k, v in conn.items()})
        facts['body'] = self._need(app).decode('latin-1')
        return facts

    def expect(self, what, within=None):
        """text, binary, cont, ping, pong, close, record, packet, eof, or reset; facts of what came."""
        limit = time.monotonic() + (within or self.patience)
        self.sock.settimeout(within or self.patience)
        if what == 'record':
            try:
                return self.record()
            except EOFError as e:
                raise RawError(f'wanted a record, the connection ended ({e})')
        try:
            if what == 'packet':
                return self.expect_packet()
            f = self.read_frame()
        except EOFError as e:
            if what == 'eof' or what == str(e):
                return {}
            raise RawError(f'wanted {what}, the connection ended ({e})')
        name = {v: k for k, v in _OPCODES.items()}.get(f['opcode'], str(f['opcode']))
        p = f['payload']
        if what in ('eof', 'reset'):
            # The close frame may come first; then the end must follow.
            if name == 'close' and time.monotonic() < limit:
                return self.expect(what, max(limit - time.monotonic(), 0.05))
            raise RawError(f'wanted {what}, got {name} {p[:100]!r}')
        if name != what:
            raise RawError(f'wanted {what}, got {name} {p[:100]!r}')
        facts = {'fin': str(f['fin']), 'rsv': str(f['rsv']), 'len': str(len(p))}
        if name == 'close':
            facts['code'] = str(struct.unpack('!H', p[:2])[0]) if len(p) >= 2 else '1005'
            facts['body'] = p[2:].decode('latin-1')
        else:
            facts['body'] = p.decode('latin-1')
        return facts
