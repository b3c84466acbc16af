#!/usr/bin/env python3
"""A Python worker of the demo's mesh: counts the words of the texts that it is
called with, and says how many they were. Leaves when "words/over" is published.

usage: worker.py MANAGER SECRET-FILE NAME"""
import asyncio
import os
import platform
import sys

import meshwork


async def main(manager, secret, name):
    with open(secret) as file:
        key = file.readline().strip()
    parts = words = 0

    def answer(request):
        nonlocal parts, words
        if request.topic == "words.about":
            return f"{os.getpid()} {parts} {words} Python {platform.python_version()}"
        here = len(request.data.split())
        parts, words = parts + 1, words + here
        return f"{here} {name}"

    async with meshwork.Context() as ctx:
        node = ctx.node(
            cluster={"deployment": "demo"}, member={"service": "worker", "name": name},
            registry="manager", link={"secret": key}, **{"registry.url": manager},
        )  # fmt: skip
        # A text that comes again with the same key is not counted again.
        node.serve("words", answer, methods=["count", "about"], dedupe={"window": "1m"})
        node.subscribe("words/over")
        async with node:
            await node.__anext__()  # it is over


if len(sys.argv) != 4:
    sys.exit("usage: worker.py MANAGER SECRET-FILE NAME")
asyncio.run(main(*sys.argv[1:]))
