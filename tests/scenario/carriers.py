"""What scenarios run over: tcp, tls or unix sockets. A scenario speaks of ports
and urls; over unix sockets a port is the path of a file."""
import http.client
import os
import re
import socket

from raw import RawError, RawPeer
from table import Word

NAMES = ('tcp', 'tls', 'unix')


class Tcp:
    def __init__(self, places):
        self.places = places
        self.usual = {'provider': {}, 'consumer': {}}
        self.tls = {'dial': None, 'listen': None}
        places.update({'ip': '127.0.0.1', 'where': '127.0.0.1'})

    def suits(self, needs):
        return True

    def words(self, verb, name, words):
        """The options of a provider or a consumer, with what is usual here."""
        given = {w.key for w in words}
        if 'preset' in given:
            given |= {'wire'}
        return words + [word(k, v) for k, v in self.usual[verb].items() if k not in given]

    def port(self, name, busy):
        """A port that somebody or nobody listens on, and the socket that keeps it so
        from all who do not ask for this one with SO_REUSEADDR."""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', 0))
        if busy:
            s.listen()
        return str(s.getsockname()[1]), s

    def listen(self, raw, name, tls=None):
        raw.listen(tls=tls or self.tls['listen'])

    def dial(self, raw, port, tls=None):
        raw.dial(port, tls=tls or self.tls['dial'])

    def page(self, method, url, headers, patience):
        """One HTTP exchange with http://HOST:PORT/PATH: status, body, headers."""
        _, port, path = re.match(r'http://(.*?):(\d+|/[^:]*?\.sock)(/.*)$', url).groups()
        raw = RawPeer(patience)
        try:
            self.dial(raw, port)
            c = http.client.HTTPConnection('localhost', timeout=patience)
            c.sock = raw.sock
            c.request(method, path, headers={'Connection': 'close', **headers})
            r = c.getresponse()
            return r.status, r.read(), r.headers
        except http.client.HTTPException as e:
            raise RawError(f'no page came: {e!r}')
        finally:
            raw.dispose()


class Tls(Tcp):
    def __init__(self, places):
        super().__init__(places)
        c = places['certs']
        self.usual['provider'] = {'tls.key_file': f'{c}/server.key', 'tls.cert_file': f'{c}/server.pem'}
        self.usual['consumer'] = {'tls': 'true', 'tls.ca_file': f'{c}/ca.pem'}
        self.tls = {'dial': f'{c}/ca.pem', 'listen': f'{c}/server'}

    def suits(self, needs):
        return not {'tls', 'plain'} & set(needs)


class Unix(Tcp):
    def __init__(self, places):
        super().__init__(places)
        places.update({'ip': '', 'where': '.sock'})

    def suits(self, needs):
        return not {'tls', 'plain', 'tcp'} & set(needs)

    def file(self, name):
        return os.path.join(self.places['tmp'], f'{self.places["unique"]}-{name}.sock')

    def words(self, verb, name, words):
        words = super().words(verb, name, words)
        port = next((w.value for w in words if w.key == 'port'), '')
        if port == '0':
            port = self.file(name)
        if not port.startswith('/'):
            return words
        key, value = ('listen', f'unix:{port}') if verb == 'provider' else ('url', f'ws+unix:{port}:/connect')
        return [w for w in words if w.key not in ('host', 'port')] + [word(key, value)]

    def port(self, name, busy):
        s = socket.socket(socket.AF_UNIX)
        if busy:
            s.bind(self.file(name))
            s.listen()
        return self.file(name), s

    def listen(self, raw, name, tls=None):
        raw.listen(file=self.file(name))


def carrier(name, places):
    return {'tcp': Tcp, 'tls': Tls, 'unix': Unix}[name](places)


def word(key, value):
    return Word(key, '=', value, True)
