"""Provider, Consumer and Connection as a user writes them."""

import asyncio
import unittest

import meshwork
from kit import LOCAL, AsyncCase, pair


class Messages(AsyncCase):
    async def test_text_bytes_and_more_than_the_slab(self):
        async with pair(before=lambda p: p.on("message", lambda m: m.peer.send(m.data))) as (_, p, c):
            for data in ("grüße", b"\0\xff", "", b"", "x" * 700_000):
                c.send(data)
                got = await self.within(c.__anext__())
                self.assertEqual(got.data, data)
                self.assertIs(type(got.data), type(data))
            for data in (bytearray(b"ab"), memoryview(b"cd")):
                c.send(data)
                self.assertEqual((await self.within(c.__anext__())).data, bytes(data))

    async def test_many_in_one_crossing_in_order(self):
        async with pair() as (_, p, c):
            (connection,) = p.connections.values()
            c.send("first")
            self.assertTrue(c.send_many([f"n{i}" for i in range(100)] + [b"raw"]))
            c.send("last")
            got = [(await self.within(connection.__anext__())).data for _ in range(103)]
            self.assertEqual(got, ["first"] + [f"n{i}" for i in range(100)] + [b"raw", "last"])

    async def test_headers_and_topics_on_the_own_wire(self):
        async with pair() as (_, p, c):
            (connection,) = p.connections.values()
            await self.within(c.subscribe("news/#"))
            self.assertEqual(await self.within(p.publish("news/a", "x", headers={"n": "1", "b": b"\0"})), 1)
            message = await self.within(c.__anext__())
            self.assertEqual((message.topic, message.headers), ("news/a", {"n": b"1", "b": b"\0"}))
            self.assertEqual(await self.within(c.deliver("taken")), 1)
            await self.within(c.unsubscribe("news/#"))
            self.assertEqual(await self.within(p.publish("news/a", "x")), 0)
            self.assertFalse(c.subscribed("news/a"))

    async def test_reception_holds_the_sender_back(self):
        async with pair(consumer={"send.max_bytes": "256KiB"}) as (_, p, c):
            (connection,) = p.connections.values()
            sent, block = 0, b"x" * 60_000
            try:
                for _ in range(5000):  # 300 MB are more than all buffers together
                    c.send(block)
                    sent += 1
                    await asyncio.sleep(0)
            except meshwork.Error as e:
                self.assertEqual(e.name, "MW_EAGAIN")
                self.assertTrue(e.retryable)
            self.assertLess(sent, 5000)
            self.assertLess(connection._waiting, 2_000_000)
            for _ in range(sent):
                self.assertEqual(len((await self.within(connection.__anext__())).data), 60_000)
            await self.within(c.writable())
            self.assertTrue(c.send("again"))
            self.assertEqual((await self.within(connection.__anext__())).data, "again")

    async def test_iteration_ends_with_the_connection(self):
        async with pair() as (_, p, c):
            (connection,) = p.connections.values()
            c.send("one")
            c.close(4001, "done here")
            got = [m.data async for m in connection]
            self.assertEqual(got, ["one"])
            self.assertEqual((connection.end.code, connection.end.text), (4001, "done here"))
            self.assertTrue(connection.closed)
            with self.assertRaises(meshwork.Error) as e:
                connection.send("late")
            self.assertEqual(e.exception.code, meshwork.Code.ECLOSED)


class Admission(AsyncCase):
    async def test_ask(self):
        async def ask(event):
            await asyncio.sleep(0)
            if event.json()["parameters"]["who"] == "friend":
                event.allow({"level": 7})
            else:
                event.deny(401, "not you")

        async with meshwork.Context() as ctx:
            p = ctx.provider({**LOCAL, "auth.ask": True})
            p.on("ask", ask)
            await p.start()
            ups = []
            p.on("peer_up", lambda e: ups.append(e.peer.about["data"]))
            friend = ctx.consumer(url=p.address, parameters={"who": "friend"})
            foe = ctx.consumer(url=p.address, parameters={"who": "foe"})
            await self.within(friend.start())
            with self.assertRaises(meshwork.Error) as e:
                await self.within(foe.start())
            self.assertEqual(e.exception.code, meshwork.Code.EAUTH)
            self.assertFalse(e.exception.retryable)
            self.assertEqual(ups, [{"level": 7}])

    async def test_wrong_options_name_the_right_ones(self):
        async with meshwork.Context() as ctx:
            with self.assertRaisesRegex(meshwork.Error, "port"):
                ctx.provider(prot=1)
            with self.assertRaisesRegex(meshwork.Error, "65535"):
                ctx.provider(port=70000)
            nested = ctx.consumer({"reconnect": {"interval": "7s"}})
            self.assertEqual(nested.facts("config")["reconnect.interval"], "7s")
            with self.assertRaisesRegex(meshwork.Error, "MW_ESTATE"):
                meshwork.Context(delivery="inline", threads=1)

    async def test_a_context_needs_a_loop(self):
        with self.assertRaisesRegex(RuntimeError, "event loop"):
            await asyncio.get_running_loop().run_in_executor(None, meshwork.Context)


class Operations(AsyncCase):
    async def test_timeout_and_cancel(self):
        async with meshwork.Context() as ctx:
            c = ctx.consumer({"url": "ws://127.0.0.1:1/connect", "reconnect.interval": "30s"})
            with self.assertRaises(asyncio.TimeoutError):
                await c.start(timeout=0.05)
            waiting = asyncio.ensure_future(self.within(c.start()))
            await asyncio.sleep(0)
            waiting.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await waiting
            left = c.start()
            c.close(abort=True)
            with self.assertRaises(meshwork.Error):
                await self.within(left)

    async def test_thousands_cancelled_leave_nothing(self):
        async with meshwork.Context() as ctx:
            c = ctx.consumer({"url": "ws://127.0.0.1:1/connect", "reconnect.interval": "30s"})
            for _ in range(5):
                for operation in [c.start() for _ in range(1000)]:
                    operation.cancel()
                while ctx._dispatcher.operations:
                    await asyncio.sleep(0)
            self.assertEqual(ctx._dispatcher.operations, {})
        self.assertEqual(self.failures, [])

    async def test_update_info_drain(self):
        async with pair() as (ctx, p, c):
            await self.within(p.update({"max_peers": 1}))
            self.assertEqual(str(p.facts("config")["max_peers"]), "1")
            with self.assertRaises(meshwork.Error) as e:
                await p.update({"port": 1})
            self.assertEqual(e.exception.name, "MW_EOPTION")
            self.assertIn("meshwork", await self.within(p.info("metrics")))
            self.assertEqual((p.state, p.stat("peers")), ("up", 1))
            c.on("down", lambda e: c.close())
            await self.within(p.drain(5))
            await self.within(p.wait_closed())
            self.assertEqual(p.state, "closed")

    async def test_a_library_thread_serves_too(self):
        async with pair(context={"threads": 2}, before=lambda p: p.on("message", lambda m: m.peer.send(m.data))) as (_, p, c):
            for i in range(200):
                c.send(str(i))
            self.assertEqual([(await self.within(c.__anext__())).data for i in range(200)], [str(i) for i in range(200)])


if __name__ == "__main__":
    unittest.main()
