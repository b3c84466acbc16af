#!/usr/bin/env python3
"""A consumer that joins, says it is ready, prints the answer and goes.

usage: consumer.py [URL]"""
import asyncio
import sys

import meshwork


async def main() -> None:
    url = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8080/connect"
    async with meshwork.Context() as ctx:
        consumer = ctx.consumer(url=url, parameters={"key": "SECRET_KEY"})
        consumer.on("up", lambda event: consumer.send("CONSUMER_READY"))  # after every reconnect, too
        await consumer.start(timeout=10)
        print("Successfully Connected To Provider! Ready For Work!")
        async for message in consumer:
            print("Provider Sent:", message.data)
            break


try:
    asyncio.run(main())
except meshwork.Error as e:
    sys.exit(f"consumer.py: {e}")
