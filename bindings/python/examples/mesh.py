#!/usr/bin/env python3
"""A member of a mesh that counts words, and asks all others to do so.

usage: mesh.py MEMBERS [DIRECTORY]      in MEMBERS terminals of one host"""
import asyncio
import sys

import meshwork

LINES = ["what is counted here", "is said by those who count"]


async def main(members: int, directory: str) -> None:
    done, over = set(), asyncio.Event()

    async def answer(request: meshwork.Request) -> str:
        if request.topic == "words.count":
            return str(len(request.text.split()))
        if request.topic != "words.done":
            raise LookupError(f"{request.topic} is not what I do")
        done.add(request.headers["caller"])
        if len(done) == members:
            over.set()
        await over.wait()
        return ""

    async with meshwork.Context() as ctx:
        node = ctx.node(
            cluster={"deployment": "example"}, member={"service": "words"}, dir=directory,
            gate={"services": {"words": members - 1}},  # the start waits for so many others that serve it
        )  # fmt: skip
        node.on("member_down", lambda event: print(event.json()["name"], "is gone:", event.json()["reason"]))
        node.serve("words", answer)
        async with node:
            # Each line goes to one of the others; who is lost or busy would be passed over.
            counts = [node.call("words.count", line, retry={"safe": True}) for line in LINES]
            print(sum(map(int, await asyncio.gather(*counts))), "words")
            # All are asked the same.
            answers = await node.broadcast("words.count", " ".join(LINES))
            good = [a.data for a in answers if a.error is None]
            print(f"{len(good)} of {len(answers)} members count {good[0]}")
            # Each answers this when all have asked it, so nobody leaves before all are done.
            await node.broadcast("words.done")


try:
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2, sys.argv[2] if len(sys.argv) > 2 else ""))
except meshwork.Error as e:
    sys.exit(f"mesh.py: {e}")
