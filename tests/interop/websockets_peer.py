"""websockets (PyPI) as client of our provider or server for our consumer.
usage: websockets_peer.py client URL [deflate] [CA] | server [deflate] [KEY CERT]"""
import asyncio
import ssl
import sys

import websockets
from websockets.extensions.permessage_deflate import PerMessageDeflate

role, rest = sys.argv[1], sys.argv[2:]
deflate = 'deflate' in rest
files = [r for r in rest if r.endswith(('.pem', '.key'))]
compression = 'deflate' if deflate else None


def tell(good, what):
    print('ok' if good else 'fail', what, flush=True)


async def talk(ws):
    bodies = {
        'text': ['hello, wörld \U0001F30D'],
        'empty': [''],
        'binary': [bytes(range(256))],
        'text of 125, 126, 65535 and 65536 bytes': ['x' * n for n in (125, 126, 65535, 65536)],
        'binary of 1 MiB': [bytes(i * 31 & 255 for i in range(1 << 20))],
        'a hundred in order': [f'number {i}' for i in range(100)],
    }
    for name, list_ in bodies.items():
        for one in list_:
            await ws.send(one)
        tell([await ws.recv() for _ in list_] == list_, name)
    await ws.send(['frag', 'men', 'ts'])
    tell(await ws.recv() == 'fragments', 'fragments')
    latency = await (await ws.ping('are you there'))
    tell(latency >= 0, 'pong')
    agreed = any(isinstance(e, PerMessageDeflate) for e in ws.protocol.extensions)
    tell(agreed == deflate, f'compression is {"on" if deflate else "off"}')
    await ws.close(4001, 'enough')
    tell(ws.close_code == 4001, 'close code comes back')


async def client():
    context = ssl.create_default_context(cafile=files[0]) if files else None
    async with websockets.connect(rest[0], compression=compression, ssl=context, max_size=1 << 24, proxy=None) as ws:
        await talk(ws)


async def server():
    over = asyncio.get_running_loop().create_future()

    async def one(ws):
        try:
            await talk(ws)
        finally:
            if not over.done():
                over.set_result(None)
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files[1], files[0])
    async with websockets.serve(one, '127.0.0.1', 0, compression=compression, ssl=context, max_size=1 << 24) as s:
        port = s.sockets[0].getsockname()[1]
        print(f'listening {"wss" if context else "ws"}://127.0.0.1:{port}/connect', flush=True)
        await over


asyncio.run(asyncio.wait_for(client() if role == 'client' else server(), 60))
