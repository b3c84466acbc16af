"""Channels, hubs and shares: what the processes of one host have together."""

import asyncio
import contextlib
import gc
import json
import os
import tempfile
import unittest

import meshwork
from kit import AsyncCase, descriptors, resident, threads

CYCLES = int(os.environ.get("MW_CYCLES", "10000")) // 20


@contextlib.asynccontextmanager
async def host():
    with tempfile.TemporaryDirectory() as folder:
        async with meshwork.Context() as ctx:
            yield ctx, folder


class Channels(AsyncCase):
    async def test_members_hear_each_other_in_order(self):
        async with host() as (ctx, folder), ctx.channel(name="A", dir=folder) as a, ctx.channel(name="A", dir=folder) as b:
            own = []
            a.on("message", own.append)
            await a.subscribe(".*")
            await self.within(b.subscribe(r"log\..*"))
            total = 2000
            for i in range(total):
                a.publish("log.warn" if i % 2 else "log.info", str(i))
            await self.within(a.publish("other", "nobody wants it"))
            got = []
            async for message in b:
                got.append(int(message.data))
                if len(got) == total:
                    break
            self.assertEqual(got, list(range(total)))
            self.assertEqual((message.topic, message.headers["sender"].decode()), ("log.warn", a.facts()["uuid"]))
            self.assertEqual(own, [])
            self.assertEqual(sorted(m["self"] for m in json.loads(await self.within(a.info("members")))), [False, True])
            self.assertTrue(b.subscribed("log.warn"))
            await self.within(b.unsubscribe(r"log\..*"))
            self.assertEqual(b.facts("topics"), [])
            with self.assertRaises(meshwork.Error) as e:
                b.subscribe("(a")
            self.assertEqual(e.exception.code, meshwork.Code.EPATTERN)
            with self.assertRaises(meshwork.Error) as e:
                ctx.channel(name="A", dir="here")
            self.assertEqual(e.exception.code, meshwork.Code.EOPTION)

    async def test_what_is_sent_by_oneself_is_marked_and_limit_is_once(self):
        async with host() as (ctx, folder), ctx.channel({"name": "A", "dir": folder, "emit.local": True}) as channel:
            await self.within(channel.subscribe("e", {"limit": 1}))
            for text in ("first", "second"):
                await self.within(channel.publish("e", text))
            await self.within(channel.subscribe("last"))
            channel.publish("last", b"end")
            heard = [await self.within(channel.__anext__()) for _ in range(2)]
            self.assertEqual([(m.data, bool(m.flags & meshwork.Flags.LOCAL)) for m in heard], [("first", True), (b"end", True)])

    async def test_a_full_member_waits_for_room(self):
        async with host() as (ctx, folder):
            channel = ctx.channel({"name": "A", "dir": folder, "hub.auto": False, "reconnect.interval": 10,
                                   "send.soft_bytes": 1024, "send.max_bytes": 8192})  # fmt: skip
            started = channel.start()
            with self.assertRaises(meshwork.Error) as e:
                while True:
                    channel.publish("e", bytes(256))
            self.assertTrue(e.exception.retryable)
            async with ctx.hub(dir=folder, channels={"A": {}}):
                await self.within(started)
                await self.within(channel.writable())
                await self.within(channel.publish("e", "room again"))
                channel.close()
                await self.within(channel.wait_closed())

    async def test_a_standing_hub_knows_its_members(self):
        async with host() as (ctx, folder):
            hub, told = ctx.hub(dir=folder, channels={"A": {"dump": True}}), []
            hub.on("log", lambda e: told.append((e.topic, e.text, e.peer.about["pid"])))
            came, left = asyncio.get_running_loop().create_future(), asyncio.get_running_loop().create_future()
            hub.on("peer_up", lambda e: came.set_result(e.peer))
            hub.on("peer_down", lambda e: left.set_result(e.peer))
            await self.within(hub.start())
            channel = ctx.channel(name="A", dir=folder)
            await self.within(channel.start())
            member = await self.within(came)
            self.assertEqual((member.about["uuid"], member.facts()["channel"]), (channel.facts()["uuid"], "A"))
            self.assertEqual(list(hub.members.values()), [member])
            await self.within(channel.publish("e", "body"))
            self.assertEqual(told, [("A", "e body", os.getpid())])
            self.assertEqual(json.loads(await self.within(hub.info("channel/A")))[0]["uuid"], member.about["uuid"])
            with self.assertRaises(meshwork.Error) as e:
                hub.update({"channels": {"A": {"propagate": "("}}})
            self.assertIn("channels.A.propagate", e.exception.text)
            await self.within(hub.update({"channels": {"A": {}, "B": {}}}))
            channel.close()
            self.assertIs(await self.within(left), member)
            self.assertEqual((hub.members, member.closed, member.end.code), ({}, True, 1000))
            other = ctx.hub(dir=folder, channels={"A": {}})
            with self.assertRaises(meshwork.Error) as e:
                await self.within(other.start())
            self.assertEqual(e.exception.code, meshwork.Code.EADDRINUSE)
            other.close()
            hub.close()
        self.assertEqual(self.failures, [])


class Shares(AsyncCase):
    async def test_one_leads_and_another_follows(self):
        async with host() as (ctx, folder):
            a, b, leads = ctx.share({"name": "S", "dir": folder}), ctx.share(name="S", dir=folder), []
            for share, name in ((a, "a"), (b, "b")):
                share.on("leader", lambda e, name=name: leads.append((name, e.code, e.id)))
            await self.within(a.start())
            await self.within(b.start())
            self.assertEqual(leads, [("a", 1, 1), ("b", 0, 1)])
            with self.assertRaises(meshwork.Error) as e:
                await self.within(b.call("Sum", "[1]"))
            self.assertEqual(e.exception.code, meshwork.Code.ENOTSUP)

            async def answer(request):
                if request.topic == "each":
                    raise LookupError("no such thing")
                await asyncio.sleep(0)
                return f"{request.topic} {sum(json.loads(request.data))}"

            a.serve(answer)
            self.assertEqual(await self.within(b.call("Sum", "[1, 2, 3]")), "Sum 6")
            self.assertEqual(await self.within(a.call("Sum", "[4]")), "Sum 4")
            with self.assertRaises(meshwork.Error) as e:
                await self.within(b.call("each"))
            self.assertEqual((e.exception.code, e.exception.text), (meshwork.Code.EREMOTE, "no such thing"))

            interest = asyncio.get_running_loop().create_future()
            a.on("interest", lambda e: interest.done() or interest.set_result((e.topic, e.code, e.id)))
            await self.within(a.publish("k", "old"))
            await self.within(b.subscribe("k"))
            self.assertEqual(await self.within(interest), ("k", 1, 0))
            body = "x" * 1024  # more than is read ahead: the leader's values wait
            for i in range(1000):
                a.publish("k", f"{i} {body}")
            got = [await self.within(b.__anext__()) for _ in range(1001)]
            self.assertEqual((got[0].data, bool(got[0].flags & meshwork.Flags.RETAINED)), ("old", True))
            self.assertEqual([int(m.data.split()[0]) for m in got[1:]], list(range(1000)))
            with self.assertRaises(meshwork.Error) as e:
                b.publish("k", "no")
            self.assertEqual(e.exception.code, meshwork.Code.ENOTLEADER)

            led, registered = (asyncio.get_running_loop().create_future() for _ in range(2))
            b.on("leader", lambda e: led.set_result((e.code, e.id)))
            b.serve(lambda request: registered.set_result((request.topic, bool(request))))
            b.oneway("register", "me", flags=meshwork.Flags.REPEAT)
            a.close()
            self.assertEqual(await self.within(led), (1, 2))
            self.assertEqual(await self.within(registered), ("register", False))
            self.assertEqual(b.facts(), {"name": "S", "leader": True, "epoch": 2})
            b.close()
        self.assertEqual(self.failures, [])


class Elections(AsyncCase):
    async def test_one_leads_and_another_when_it_resigns(self):
        async with host() as (ctx, folder):
            told, led = [], asyncio.get_running_loop().create_future()

            def leader(event):
                told.append((event.topic, event.code, event.id))
                if event.code == 1 and event.id == 2:
                    led.set_result(event.source)

            everybody = [ctx.election("E", dir=folder, lease="5s") for _ in range(3)]
            for each in everybody:
                each.on("leader", leader)
                await self.within(each.start())
            self.assertEqual(told, [("E", 1, 1), ("E", 0, 1), ("E", 0, 1)])
            everybody[0].close()
            self.assertEqual((await self.within(led)).facts(), {"name": "E", "leader": True, "epoch": 2})
            with self.assertRaises(meshwork.Error) as e:
                ctx.election("../E", dir=folder)
            self.assertEqual(e.exception.code, meshwork.Code.EINVAL)
        self.assertEqual(self.failures, [])


class Bad(AsyncCase):
    async def test_close_in_every_handler(self):
        for name, kind in (("channel", "message"), ("channel", "up"), ("channel", "closed"), ("hub", "up"), ("hub", "peer_up"),
                           ("hub", "log"), ("hub", "peer_down"), ("hub", "closed"), ("share", "leader"), ("share", "up"),
                           ("share", "interest"), ("share", "request"), ("share", "message"), ("share", "closed")):  # fmt: skip
            with self.subTest(f"{kind} of a {name}"):
                async with host() as (ctx, folder):
                    channel = ctx.channel({"name": "A", "dir": folder, "emit.local": True})
                    hub, share = ctx.hub(dir=folder, channels={"A": {"dump": True}}), ctx.share(name="S", dir=folder)
                    ended = []

                    def end(event, ended=ended, everything=(channel, hub, share, ctx)):
                        ended.append(event.kind)
                        for each in everything:
                            each.close()

                    if kind == "request":
                        share.serve(end)
                    else:
                        {"channel": channel, "hub": hub, "share": share}[name].on(kind, end)
                    for step in (hub.start, channel.start, lambda: channel.subscribe(".*"), lambda: channel.publish("e", "x"),
                                 share.start, lambda: share.subscribe("k"), lambda: share.publish("k", "v"),
                                 lambda: share.call("request"), channel.close, channel.wait_closed, share.close, hub.close):
                        with contextlib.suppress(meshwork.Error):
                            if (begun := step()) is not None:
                                await self.within(begun)
                    await self.within(ctx.wait_closed())
                    self.assertTrue(ended)
        self.assertEqual(self.failures, [])

    def test_cycles_leave_nothing(self):
        async def cycle(n):
            for _ in range(n):
                async with meshwork.Context() as ctx:
                    async with ctx.channel(name="A", dir=folder) as a, ctx.channel(name="A", dir=folder) as b:
                        await b.subscribe(".*")
                        a.publish("e", "once")
                        self.assertEqual((await b.__anext__()).data, "once")
                    leads, follows = ctx.share(name="S", dir=folder), ctx.share(name="S", dir=folder)
                    leads.serve(lambda r: r.data if r.topic == "get" else None)
                    await leads.start()
                    await follows.start()
                    never = follows.call("wait")
                    self.assertEqual(await follows.call("get", "got"), "got")
                    leads.close()
                    follows.close()
                    with self.assertRaises(meshwork.Error):
                        await never

        def held():
            gc.collect()
            return descriptors(), threads()

        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(cycle(50))
            before, memory = held(), resident()
            asyncio.run(cycle(CYCLES))
            self.assertEqual(held(), before)
            self.assertLess(resident() - memory, 8000)
            self.assertLess(len(os.listdir(folder)), 5)


if __name__ == "__main__":
    unittest.main()
