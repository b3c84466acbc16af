#!/usr/bin/env python3
"""Several processes of one host count themselves, and one of them does the
work of all.

usage: host.py COUNT [DIRECTORY]      in COUNT terminals"""
import asyncio
import os
import sys

import meshwork


async def main(count: int, directory: str) -> None:
    came = set()

    def answer(request: meshwork.Request) -> str:
        came.add(request.data)
        return str(len(came))

    async with meshwork.Context() as ctx:
        # One leads; the others ask it, in the same words as it asks itself.
        share = ctx.share(name="example-host", dir=directory)
        share.serve(answer)
        share.on("leader", lambda event: print("I lead." if event.code else "Another leads."))
        # All hear each other.
        channel = ctx.channel({"name": "example-host", "emit.local": True, "dir": directory})
        async with share, channel:
            await channel.subscribe("all-there", {"limit": 1})
            me = str(os.getpid())
            if int(await share.call("hello", me, headers={"key": "hello " + me})) == count:
                await channel.publish("all-there", str(count))
            async for message in channel:
                print(f"There are {message.data} of us.")
                break


try:
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2, sys.argv[2] if len(sys.argv) > 2 else ""))
except meshwork.Error as e:
    sys.exit(f"host.py: {e}")
