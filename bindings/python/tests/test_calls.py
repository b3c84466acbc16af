"""Calls as a user writes them: serve a handler, await a call."""

import asyncio
import json
import math

import meshwork
from kit import AsyncCase, pair


class Calls(AsyncCase):
    async def test_each_form_of_a_handler(self):
        async def slow(request):
            await asyncio.sleep(0)
            return request.data.upper()

        async def each(request):
            for word in request.data.split():
                yield word

        later = []
        async with pair() as (_, p, c):
            p.serve("Plain", lambda r: f"{r.topic} {r.data}")
            p.serve("Slow", slow)
            p.serve("Each", each)
            p.serve("Later", later.append)
            self.assertEqual(await self.within(c.call("Plain.m", "x")), "Plain.m x")
            self.assertEqual(await self.within(c.call("Slow", b"raw")), b"RAW")
            self.assertEqual([part async for part in c.call("Each", "a b c")], ["a", "b", "c"])
            call = c.call("Later", "x", headers={"k": "v"})
            while not later:
                await asyncio.sleep(0)
            self.assertEqual(later[0].headers, {"k": b"v"})
            later[0].reply("now", headers={"of": "answer"})
            self.assertEqual(await self.within(call), "now")
            self.assertEqual(call.headers, {"of": b"answer"})
            with self.assertRaises(meshwork.Error) as e:
                later[0].reply("again")
            self.assertEqual(e.exception.code, meshwork.Code.ECLOSED)

    async def test_a_provider_calls_its_connection(self):
        async with pair() as (_, p, c):
            (connection,) = p.connections.values()
            service = c.serve("Clock", lambda r: "noon" if r.peer is c else "?")
            self.assertEqual(await self.within(connection.call("Clock")), "noon")
            self.assertEqual(service.stat("in_flight"), 0)

    async def test_failures_tell_what_they_were(self):
        def broken(request):
            raise LookupError("no such user")

        async with pair() as (_, p, c):
            p.serve("Broken", broken)
            p.serve("Said", lambda r: r.fail({"message": "denied", "rule": 7}, meshwork.Code.EDENIED))
            for target, code, text in (("Broken", "EREMOTE", "no such user"), ("Said", "EDENIED", "denied"),
                                       ("Nobody", "ENOSERVICE", "The other side serves nothing of this name.")):
                with self.assertRaises(meshwork.Error) as e:
                    await self.within(c.call(target))
                self.assertEqual((e.exception.code, e.exception.text), (meshwork.Code[code], text))
            with self.assertRaises(meshwork.Error) as e:
                await self.within(c.call("Broken"))
            self.assertEqual(e.exception.details["name"], "LookupError")
            with self.assertRaises(meshwork.Error) as e:
                p.serve("Broken", broken)
            self.assertEqual(e.exception.code, meshwork.Code.EDUPLICATE)

    async def test_a_cancel_ends_the_handler(self):
        ended = asyncio.get_running_loop().create_future()
        began = asyncio.Event()

        async def never(request):
            began.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.set_result(True)
                raise

        async with pair() as (_, p, c):
            p.serve("Never", never)
            task = asyncio.ensure_future(c.call("Never", timeout=math.inf))
            await self.within(began.wait())
            task.cancel()
            self.assertTrue(await self.within(ended))
            with self.assertRaises(meshwork.Error) as e:
                await self.within(c.call("Never", timeout=0.02))
            self.assertEqual(e.exception.code, meshwork.Code.ETIMEDOUT)
        self.assertEqual(self.failures, [])

    async def test_a_long_stream_waits_for_its_reader(self):
        async def many(request):
            for i in range(500):
                yield json.dumps(i) * 100

        async with pair() as (_, p, c):
            p.serve("Many", many)
            got = [part async for part in c.call("Many", timeout=math.inf, credit="4KiB")]
            self.assertEqual(got, [json.dumps(i) * 100 for i in range(500)])

    async def test_oneway_and_drain(self):
        heard = []
        async with pair() as (_, p, c):
            service = p.serve("Note", lambda r: heard.append((bool(r), r.data)))
            c.oneway("Note", "x")
            while not heard:
                await asyncio.sleep(0)
            self.assertEqual(heard, [(False, "x")])
            await self.within(service.drain(1))
            await self.within(service.wait_closed())
            self.assertEqual(service.state, "closed")
