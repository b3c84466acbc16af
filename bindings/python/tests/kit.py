"""What the tests share: a pair of provider and consumer, counts of what a process holds."""

import asyncio
import contextlib
import os
import unittest

import meshwork

LOCAL = {"port": 0, "host": "127.0.0.1"}


class AsyncCase(unittest.IsolatedAsyncioTestCase):
    """A loop a test; failures of handlers are kept in self.failures."""

    async def asyncSetUp(self):
        self.failures = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, facts: self.failures.append(facts))

    async def within(self, awaitable, seconds=20):
        return await asyncio.wait_for(awaitable, seconds)


@contextlib.asynccontextmanager
async def pair(provider=None, consumer=None, context=None, before=None):
    """A started provider and a consumer of it; before(provider) sets handlers."""
    async with meshwork.Context(context) as ctx:
        p = ctx.provider({**LOCAL, **(provider or {})})
        if before is not None:
            before(p)
        await p.start()
        async with ctx.consumer({"url": p.address, **(consumer or {})}) as c:
            while not p.connections:
                await asyncio.sleep(0)
            yield ctx, p, c


def threads():
    return len(os.listdir("/proc/self/task"))


def descriptors():
    return len(os.listdir("/proc/self/fd")) - 1


def resident():
    """Kilobytes."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4
