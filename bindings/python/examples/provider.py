#!/usr/bin/env python3
"""A provider that admits who knows the key and answers CONSUMER_READY.

usage: provider.py [PORT]        8080; 0 takes any free port; Ctrl-C ends"""
import asyncio
import signal
import sys

import meshwork


async def main() -> None:
    loop = asyncio.get_running_loop()
    async with meshwork.Context() as ctx:
        provider = ctx.provider({"port": int(sys.argv[1]) if len(sys.argv) > 1 else 8080, "host": "127.0.0.1",
                                 "auth.parameters": {"key": "SECRET_KEY"}})  # fmt: skip

        @provider.on("peer_up")
        async def serve(event: meshwork.Event) -> None:
            connection = event.peer
            print("Consumer", connection.id, "is here:", event.json()["ip"], flush=True)
            async for message in connection:
                print("Consumer", connection.id, "Sent:", message.data, flush=True)
                if message.data == "CONSUMER_READY":
                    connection.send("SOME_REPLY")
            print("Consumer", connection.id, "left:", connection.end.code, flush=True)

        await provider.start()
        print("listening", provider.address, flush=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, provider.close)
        await provider.wait_closed()


try:
    asyncio.run(main())
except meshwork.Error as e:
    sys.exit(f"provider.py: {e}")
