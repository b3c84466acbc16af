#!/usr/bin/env python3
"""Echo provider with meshwork. usage: echo_meshwork.py [PORT] [handler|iterate] [THREADS]"""
import asyncio
import sys

import meshwork


async def main() -> None:
    port, how, threads = (sys.argv[1:] + ["0", "handler", "0"][len(sys.argv) - 1 :])[:3]
    async with meshwork.Context(threads=int(threads)) as ctx:
        provider = ctx.provider({"port": int(port), "host": "127.0.0.1"})

        async def serve(event: meshwork.Event) -> None:
            async for message in event.peer:
                if not message.peer.send(message.data):
                    await message.peer.writable()

        if how == "iterate":
            provider.on("peer_up", serve)
        else:
            provider.on("message", lambda m: m.peer.send(m.data))
        await provider.start()
        print(provider.address, flush=True)
        await provider.wait_closed()


asyncio.run(main())
