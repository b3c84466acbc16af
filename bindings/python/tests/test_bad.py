"""Bad behaviour a host must survive."""

import asyncio
import contextlib
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
import warnings

import meshwork
from kit import LOCAL, AsyncCase, descriptors, pair, resident, threads

CYCLES = int(os.environ.get("MW_CYCLES", "10000"))


def run(program, **more):
    """A program of its own; its exit code, stdout and stderr."""
    r = subprocess.run(
        [sys.executable, "-c", "import asyncio, meshwork, os, signal, sys, threading\n" + program],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, **more,
    )  # fmt: skip
    return r.returncode, r.stdout, r.stderr


OPEN = """
async def opened():
    ctx = meshwork.Context()
    p = ctx.provider(port=0, host="127.0.0.1")
    p.on("message", lambda m: m.peer.send(m.data))
    await p.start()
    c = ctx.consumer(url=p.address)
    await c.start()
    c.send("x")
    await c.__anext__()
    return ctx, p, c
"""


class Exits(unittest.TestCase):
    def ends(self, program, code=0):
        began = time.monotonic()
        got, out, err = run(OPEN + program)
        self.assertEqual((got, "Traceback" in err), (code, False), err)
        return out, time.monotonic() - began

    def test_with_everything_open(self):
        bare = min(self.ends("")[1] for _ in range(3))
        for end in (
            "kept = asyncio.run(opened())",
            "asyncio.run(opened())",
            "loop = asyncio.new_event_loop()\nkept = loop.run_until_complete(opened())",
            "async def main():\n  kept = await opened()\n  sys.exit(0)\nasyncio.run(main())",
            "async def main():\n  kept = await opened()\n  os._exit(0)\nasyncio.run(main())",
            "async def main():\n  kept = await opened()\n  kept[0].close()\nasyncio.run(main())",
            "async def main():\n  await opened()\nt = threading.Thread(target=asyncio.run, args=(main(),))\nt.start()",
        ):
            with self.subTest(end):
                best = min(self.ends(end)[1] for _ in range(2))
                self.assertLess(best - bare, 1 + bare)

    def test_ctrl_c(self):
        program = "async def main():\n  kept = await opened()\n  print('up', flush=True)\n  await kept[1].wait_closed()\n"
        program += "try:\n  asyncio.run(main())\nexcept KeyboardInterrupt:\n  sys.exit(7)"
        p = subprocess.Popen(
            [sys.executable, "-c", "import asyncio, meshwork, sys\n" + OPEN + program],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with p:
            self.assertEqual(p.stdout.readline(), "up\n")
            p.send_signal(signal.SIGINT)
            _, err = p.communicate(timeout=30)
        self.assertEqual(p.returncode, 7, err)

    def test_an_interrupted_batch_goes_on(self):
        out, _ = self.ends("""
got = []
async def main():
    global ctx, c
    ctx, p, c = await opened()
    def hear(m):
        got.append(m.data)
        if m.data == "2": raise KeyboardInterrupt
        if m.data == "5": c.close()
    c.on("message", hear)
    c.send_many([str(i) for i in range(6)])
    await c.wait_closed()
loop = asyncio.new_event_loop()
try: loop.run_until_complete(main())
except KeyboardInterrupt: loop.run_until_complete(c.wait_closed())
print(*got)
""")
        self.assertEqual(out.split(), ["0", "1", "2", "3", "4", "5"])


class Handlers(AsyncCase):
    async def test_one_that_raises_does_not_stop_the_batch(self):
        got, all_here = [], asyncio.Event()

        def hear(message):
            got.append(message.data)
            if len(got) == 10:
                all_here.set()
            raise ValueError(message.data)

        async with pair(before=lambda p: p.on("message", hear)) as (_, p, c):
            c.send_many([str(i) for i in range(10)])
            await self.within(all_here.wait())
        self.assertEqual(got, [str(i) for i in range(10)])
        self.assertEqual([str(f["exception"]) for f in self.failures], got)

    async def test_a_coroutine_that_raises_is_told(self):
        async def hear(message):
            raise ValueError(message.data)

        async with pair(before=lambda p: p.on("message", hear)) as (_, p, c):
            c.send("x")
            while not self.failures:
                await asyncio.sleep(0)
        self.assertIsInstance(self.failures[0]["exception"], ValueError)

    async def test_close_in_every_handler(self):
        def greet(event):
            with contextlib.suppress(meshwork.Error):  # it may be closing already
                event.peer.send("hi")

        for kind in ("up", "peer_up", "message", "peer_down", "closed", "down"):
            for what in (0, 1, 2, 3):
                with self.subTest(kind=kind, what=what):
                    async with meshwork.Context() as ctx:
                        p, c = ctx.provider(LOCAL), None

                        def close(event):
                            (ctx, p, c or p, event.peer or p)[what].close()

                        p.on(kind, close)
                        p.on("peer_up", close if kind == "peer_up" else greet)
                        await p.start()
                        if kind != "up":  # else it is closing already
                            c = ctx.consumer({"url": "ws://127.0.0.1:1/" if kind == "down" else p.address})
                            c.on(kind, close)
                            c.on("message", close if kind == "message" else lambda e: c.close())
                            c.start().add_done_callback(lambda f: f.cancelled() or f.exception())
                            if kind == "peer_up" and what in (1, 3) or kind == "down" and what != 2:
                                c.close()
                            if kind not in ("closed",):
                                await self.within(asyncio.wait(
                                    [asyncio.ensure_future(x.wait_closed()) for x in (ctx, p, c)],
                                    return_when=asyncio.FIRST_COMPLETED,
                                ))  # fmt: skip
        self.assertEqual(self.failures, [])


class Dropped(AsyncCase):
    async def until(self, fact):
        for _ in range(20000):
            gc.collect(0)
            if fact():
                return
            await asyncio.sleep(0.001)
        self.fail("never came to be")

    async def test_objects_without_close_are_collected_and_told(self):
        before = descriptors(), threads()
        told = []  # texts: a kept warning would keep its object
        with warnings.catch_warnings():
            warnings.simplefilter("always", ResourceWarning)
            warnings.showwarning = lambda message, *rest: told.append(str(message))
            ctx = meshwork.Context()
            p = ctx.provider(LOCAL)
            await p.start()
            c = ctx.consumer(url=p.address)
            await c.start()
            (connection,) = p.connections.values()
            del c
            await self.until(lambda: connection.closed)
            self.assertIn("Consumer", told[0])
            del ctx, p, connection
            await self.until(lambda: gc.collect() is not None and (descriptors(), threads()) == before)
            self.assertIn("Context", "".join(told))

    async def test_handlers_keep_their_object(self):
        got = asyncio.Event()
        async with meshwork.Context() as ctx:
            ctx.provider(LOCAL).on("up", lambda e: (address.append(e.source.address), got.set()))
            address = []
            gc.collect()
            (p,) = ctx._keep
            p.start()
            del p
            gc.collect()
            await self.within(got.wait())
            self.assertIn("ws://127.0.0.1:", address[0])


class Process(unittest.TestCase):
    def test_contexts_on_several_threads(self):
        got = []

        def work(n):
            async def main():
                async with pair(before=lambda p: p.on("message", lambda m: m.peer.send(m.data))) as (_, p, c):
                    for i in range(300):
                        c.send(f"{n}.{i}")
                    for i in range(300):
                        self.assertEqual((await asyncio.wait_for(c.__anext__(), 20)).data, f"{n}.{i}")
                got.append(n)

            asyncio.run(main())

        all_ = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for t in all_:
            t.start()
        for t in all_:
            t.join(60)
        self.assertEqual(sorted(got), [0, 1, 2, 3])

    def test_fork_by_the_rule(self):
        async def child(ctx, p):
            try:
                p.start()
                return 1
            except meshwork.Error as e:
                if e.name != "MW_EFORK":
                    return 2
            ctx.close()
            p.close()
            async with pair() as (_, _, c):
                c.send("a new context works")
            return 0

        def forked(ctx, p):
            os._exit(asyncio.new_event_loop().run_until_complete(child(ctx, p)))

        async def main():
            async with pair(before=lambda p: p.on("message", lambda m: m.peer.send(m.data))) as (ctx, p, c):
                process = multiprocessing.get_context("fork").Process(target=forked, args=(ctx, p))
                asyncio.events._set_running_loop(None)  # the child has none running
                process.start()
                asyncio.events._set_running_loop(asyncio.get_event_loop_policy().get_event_loop())
                await asyncio.get_running_loop().run_in_executor(None, process.join, 30)
                code = process.exitcode
                c.send("the parent goes on")
                return code, (await asyncio.wait_for(c.__anext__(), 20)).data

        self.assertEqual(asyncio.run(main()), (0, "the parent goes on"))

    def test_cycles_leave_nothing(self):
        async def cycle(n):
            for _ in range(n):
                async with meshwork.Context() as ctx, ctx.provider(LOCAL) as p, ctx.consumer(url=p.address) as c:
                    c.send("x")

        def held():
            gc.collect()
            return descriptors(), threads()

        asyncio.run(cycle(50))
        before, memory = held(), resident()
        asyncio.run(cycle(CYCLES))
        self.assertEqual(held(), before)
        self.assertLess(resident() - memory, 8000)

    def test_received_messages_leave_nothing(self):
        async def main(count):
            async with pair(before=lambda p: p.on("message", lambda m: None)) as (_, p, c):
                block = ["x" * 20] * 100
                for n in range(count // 100):
                    if not c.send_many(block):
                        await c.writable()
                    elif n % 20 == 0:
                        await asyncio.sleep(0)
                await c.deliver("last")

        asyncio.run(main(100_000))
        memory = resident()
        asyncio.run(main(1_000_000))
        self.assertLess(resident() - memory, 8000)


if __name__ == "__main__":
    unittest.main()
