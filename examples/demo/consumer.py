#!/usr/bin/env python3
"""A Python consumer of `make demo`: writes every line it gets to a file.

usage: consumer.py URL CA SECRET-FILE OUTPUT NAME LINES"""
import asyncio
import json
import sys
import time

import meshwork


async def main(url, ca, secret, output, name, lines):
    wanted, got, size, took, ups, begin = int(lines), 0, 0, [], 0, 0.0
    with open(secret) as f:
        key = f.readline().strip()
    async with meshwork.Context() as ctx:
        consumer = ctx.consumer({"url": url, "tls.ca_file": ca, "parameters": {"key": key}})

        def up(event):  # after every reconnect, too
            nonlocal ups, begin
            ups, begin = ups + 1, begin or time.time()
            consumer.send(f"start {name} {got}")

        consumer.on("up", up)
        consumer.start()
        with open(output, "wb") as out:
            async for message in consumer:
                if message.meta:  # a stamped line
                    took.append(time.time_ns() - int(message.headers["sent"]))
                body = message.data.encode() if isinstance(message.data, str) else message.data
                out.write(body + b"\n")
                got, size = got + 1, size + len(body)
                if got == wanted:
                    break
        seconds = time.time() - begin if begin else 0.0
        consumer.close()
        await consumer.wait_closed()
    if got != wanted:
        print(f"closed: {consumer.end.text} ({consumer.end.reason})", file=sys.stderr)
    took.sort()
    at = [took[int(part * (len(took) - 1))] / 1e3 if took else 0.0 for part in (0.5, 0.99)]
    facts = {"messages": got, "bytes": size, "seconds": round(seconds, 3), "p50_us": at[0], "p99_us": at[1],
             "reconnects": ups - 1}  # fmt: skip
    print(json.dumps(facts, separators=(",", ":")), file=sys.stderr)
    return got != wanted


if len(sys.argv) != 7:
    sys.exit("usage: consumer.py URL CA SECRET-FILE OUTPUT NAME LINES")
sys.exit(asyncio.run(main(*sys.argv[1:])))
