#!/usr/bin/env python3
"""A Python member of `make demo`'s second part: has the words of a file counted,
50 lines a call, over the one connection that the members share. Whichever of
them leads has it, and passes the calls of all on.

usage: member.py URL CA SECRET-FILE DIR NAME FILE"""
import asyncio
import itertools
import json
import sys
import time

import meshwork


async def main(url, ca, secret, directory, name, file):
    with open(secret) as f:
        key = f.readline().strip()
    with open(file, "rb") as f:
        lines = f.readlines()
    texts = enumerate(b"".join(lines[i : i + 50]) for i in range(0, len(lines), 50))
    calls = failed = words = 0
    longest = 0.0
    upstream = None  # where this process leads: the connection, when it is up

    async with meshwork.Context() as ctx:
        share = ctx.share({"name": "words", "dir": directory})

        async def connect():
            consumer = ctx.consumer({"url": url, "tls.ca_file": ca, "parameters": {"key": key}})
            await consumer.start()
            return consumer

        def leader(event):
            nonlocal upstream
            print("leads" if event.code else "follows", event.id, file=sys.stderr, flush=True)
            if upstream is not None:
                upstream.add_done_callback(lambda up: up.result().close())
            upstream = asyncio.ensure_future(connect()) if event.code else None

        async def answer(request):
            text, headers = request.data, {"key": request.headers["key"]}
            return await (await upstream).call("Words.count", text, headers=headers, parent=request)

        share.on("leader", leader)
        share.serve(answer)
        await share.start()
        last = time.monotonic()

        async def work():
            nonlocal calls, failed, words, longest, last
            for number, text in texts:  # shared by all that work
                calls += 1
                try:
                    headers = {"key": f"{name}/{number}"}  # safe to repeat
                    number_of_words = int(await share.call("count", text, headers=headers, timeout=30))
                    words += number_of_words
                except meshwork.Error as error:
                    print(f"failed: {error}", file=sys.stderr)
                    failed += 1
                longest, last = max(longest, time.monotonic() - last), time.monotonic()

        await asyncio.gather(*(work() for _ in itertools.repeat(None, 16)))
        share.close()
        await share.wait_closed()
    facts = {"calls": calls, "failed": failed, "words": words, "longest_ms": round(longest * 1e3, 1)}
    print(json.dumps(facts, separators=(",", ":")), file=sys.stderr)
    return failed != 0


if len(sys.argv) != 7:
    sys.exit("usage: member.py URL CA SECRET-FILE DIR NAME FILE")
sys.exit(asyncio.run(main(*sys.argv[1:])))
