"""Nodes of a mesh: they find each other, serve, call, ask all, publish."""

import asyncio
import contextlib
import gc
import os
import tempfile
import unittest

import meshwork
from kit import AsyncCase, descriptors, resident, threads

CYCLES = int(os.environ.get("MW_CYCLES", "10000")) // 200


def options(folder, name, **more):
    return {"dir": folder, "cluster.deployment": "D", "member.name": name, "member.service": name + "s", **more}


@contextlib.asynccontextmanager
async def mesh():
    """node(name, options): one of the mesh of a directory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        async with meshwork.Context() as ctx:
            yield lambda name, **more: ctx.node(options(folder, name, **more))


class Nodes(AsyncCase):
    def refused(self, code):
        @contextlib.contextmanager
        def check():
            with self.assertRaises(meshwork.Error) as e:
                yield
            self.assertEqual(e.exception.name, code)

        return check()

    async def test_members_know_each_other_and_who_serves_what(self):
        async with mesh() as node:
            a, b, news, more = node("a"), node("b", **{"member.version": "1.2.0"}), [], asyncio.Queue()

            def heard(event):
                facts = event.json()
                news.append((event.kind, facts.get("name") or facts["member"], event.topic or facts["reason"], event.code))
                more.put_nowait(event)

            for kind in ("member_up", "member_down", "service_up", "service_down"):
                a.on(kind, heard)
            await self.within(a.start())
            words = b.serve("words", lambda r: "x", methods=["count"])
            await self.within(b.start())
            for _ in range(2):
                event = await self.within(more.get())
            self.assertEqual(event.json(), {"member": "b", "version": "1.2.0", "methods": ["count"]})
            everybody = await self.within(a.members())
            self.assertEqual(sorted((m["name"], m["service"], m["self"]) for m in everybody), [("a", "as", True), ("b", "bs", False)])
            words.close()
            await self.within(more.get())
            b.close()
            await self.within(more.get())
            stats = await self.within(a.stats())
            self.assertEqual((stats["members"], [(m["name"], m["reason"]) for m in stats["gone"]]), (1, [("b", "it left")]))
            self.assertEqual(news, [("member_up", "b", "bs", 0), ("service_up", "b", "words", 1), ("service_down", "b", "words", 0),
                                    ("member_down", "b", "it left", 0)])  # fmt: skip
        self.assertEqual(self.failures, [])

    async def test_a_call_goes_to_who_serves_it(self):
        async with mesh() as node:
            a, b, c = node("a", **{"gate.services": {"words": 2}}), node("b"), node("c", **{"member.version": "2.0.0"})
            ready, stopped = [], asyncio.get_running_loop().create_future()
            a.on("ready", lambda e: ready.append((e.code, e.json()["words"])))

            def answers(name):
                async def answer(request):
                    if request.topic == "words.bad":
                        raise LookupError("no such word")
                    if request.topic == "words.wait":
                        try:
                            await asyncio.Event().wait()
                        finally:
                            stopped.set_result(None)
                    return f"{name} for {request.headers['caller'].decode()}: {request.text}"

                return answer

            b.serve("words", answers("b"))
            c.serve("words", answers("c"))
            await self.within(asyncio.gather(a.start(), b.start(), c.start()))
            self.assertEqual((ready, a.state), ([(1, 2)], "ready"))
            self.assertEqual(await self.within(a.call("words.x", "1")), "c for a: 1")  # the highest version
            self.assertEqual(await self.within(a.call("words.x", "2", version="<2")), "b for a: 2")
            self.assertEqual(await self.within(a.call("words.x", "3", only=["c"], sticky="k")), "c for a: 3")
            for code, target, more in (("MW_EVERSION", "words.x", {"version": "^3"}), ("MW_ENOSERVICE", "other", {}),
                                       ("MW_ENOPEER", "words.x", {"only": "c", "exclude": "c"}), ("MW_EREMOTE", "words.bad", {})):  # fmt: skip
                with self.refused(code):
                    await self.within(a.call(target, **more))
            with self.refused("MW_EOPTION"):
                a.call("words.x", version="nonsense")
            waits = a.call("words.wait", version="<2")
            self.assertEqual(await self.within(a.call("words.x", "4", version="<2")), "b for a: 4")  # behind it
            waits.cancel()
            await self.within(stopped)
        self.assertEqual(self.failures, [])

    async def test_a_queue_gives_one_at_a_time_and_takes_back(self):
        async with mesh() as node:
            a, b, seen, running, dead = node("a", **{"gate.services": {"jobs": 1}}), node("b"), [], 0, asyncio.Queue()

            async def work(request):
                nonlocal running
                running += 1
                self.assertEqual(running, 1)
                seen.append(request.text)
                await asyncio.sleep(0)
                running -= 1
                if request.text == "bad" or seen == ["again"]:
                    return request.give_back("not now")
                return request.data

            jobs = b.serve("jobs", work, **{"queue": "memory", "queue.backoff": 1, "queue.attempts": 2})
            jobs.on("dropped", dead.put_nowait)
            await self.within(asyncio.gather(a.start(), b.start()))
            first, second = a.call("jobs", "again"), a.call("jobs", "next")
            self.assertEqual((await self.within(first), await self.within(second)), ("again", "next"))
            self.assertEqual(seen, ["again", "again", "next"])
            a.oneway("jobs", "note")  # it waits, too, and what the handler returns answers it
            with self.refused("MW_EDEAD"):
                await self.within(a.call("jobs", "bad"))
            lost = await self.within(dead.get())
            self.assertEqual((lost.reason, lost.topic, lost.data, lost.headers["attempts"]), ("MW_EDEAD", "jobs", "bad", b"2"))
            self.assertEqual(seen[3:], ["note", "bad", "bad"])
            self.assertEqual(b.facts("queues")[0]["done"], 3)
            a.serve("plain", lambda r: r.give_back())
            with self.refused("MW_EINVAL"):  # there is no queue: what the handler raises is the answer
                await self.within(a.call("plain"))
        self.assertEqual(self.failures, [])

    async def test_a_manager_brings_nodes_together(self):
        async with mesh() as node, meshwork.Context() as ctx:
            manager, told = ctx.manager(cluster={"deployment": "D"}, port=0, discovery={"port": 0}), asyncio.Queue()
            for kind in ("member_up", "member_down"):
                manager.on(kind, lambda e: told.put_nowait((e.kind, e.json()["name"], e.json().get("reason"))))
            await self.within(manager.start())
            url = manager.facts("address")[0].split("/")[2]
            managed = {"registry": "manager", "registry.url": url}
            a, b = node("a", **managed, **{"gate.services": {"words": 1}}), node("b", **managed)
            b.serve("words", lambda r: f"for {r.headers['caller'].decode()}")
            await self.within(asyncio.gather(a.start(), b.start()))
            self.assertEqual(await self.within(a.call("words")), "for a")
            everybody = await self.within(manager.members())
            self.assertEqual(sorted((m["name"], m["service"], m["self"]) for m in everybody), [("a", "as", False), ("b", "bs", False)])
            b.close()
            heard = [await self.within(told.get()) for _ in range(3)]
            self.assertEqual(sorted(heard), [("member_down", "b", "it left"), ("member_up", "a", None), ("member_up", "b", None)])
        self.assertEqual(self.failures, [])

    async def test_all_are_asked(self):
        async with mesh() as node:
            a, b, c = node("a", **{"gate.services": {"words": 2}}), node("b"), node("c")

            async def parts(request):
                yield "one"
                yield "two"

            def fails(request):
                if request.text == "bad":
                    raise LookupError("not me")
                return request.data

            b.serve("words", lambda r: r.data)
            b.serve("parts", parts)
            c.serve("words", fails)
            await self.within(asyncio.gather(a.start(), b.start(), c.start()))
            said = [(s.member, s.data, s.error) async for s in a.broadcast("words.x", "good", 20)]
            self.assertEqual(sorted(said), [("b", "good", None), ("c", "good", None)])
            said = [(s.member, s.error and s.error.text) async for s in a.broadcast("words.x", "bad", 20)]
            self.assertEqual(sorted(said), [("b", None), ("c", "not me")])
            answers = await self.within(a.broadcast("words.x", "bad"))
            self.assertEqual(sorted((s.member, s.error and s.error.name) for s in answers), [("b", None), ("c", "MW_EREMOTE")])
            answers = await self.within(a.broadcast("parts"))
            self.assertEqual([(s.data, s.more) for s in answers][:2], [("one", True), ("two", True)])
            self.assertEqual([part async for part in a.call("parts", timeout=20)], ["one", "two"])
            with self.refused("MW_ENOSERVICE"):
                await self.within(a.broadcast("nothing"))
            with self.refused("MW_ENOSERVICE"):
                async for _ in a.broadcast("nothing", timeout=20):
                    pass
        self.assertEqual(self.failures, [])

    async def test_events_reach_who_subscribed(self):
        async with mesh() as node:
            a, b = node("a"), node("b")
            await self.within(asyncio.gather(a.start(), b.start()))
            await self.within(b.subscribe("log/*"))

            async def wanted():  # what b wants is known to a soon
                while await a.publish("log/first", "x") == 0:
                    pass

            await self.within(wanted())
            self.assertEqual((await self.within(b.__anext__())).data, "x")
            await self.within(a.publish("other", "nobody wants it"))
            self.assertEqual(await self.within(a.publish("log/warn", "disk")), 1)
            message = await self.within(b.__anext__())
            self.assertEqual((message.topic, message.data, message.headers["member"]), ("log/warn", "disk", b"a"))
            await self.within(a.subscribe("here"))
            self.assertEqual(await self.within(a.publish("here", "mine", meshwork.Flags.LOCAL)), 0)
            message = await self.within(a.__anext__())
            self.assertEqual((message.data, bool(message.flags & meshwork.Flags.LOCAL)), ("mine", True))
            self.assertEqual((a.subscribed("here"), b.subscribed("here")), (True, False))
        self.assertEqual(self.failures, [])

    async def test_what_nobody_reads_is_bounded_and_told(self):
        async with mesh() as node:
            a, body = node("a"), bytes(512 * 1024)
            await self.within(a.start())
            await self.within(a.subscribe("e"))
            for _ in range(40):
                await self.within(a.publish("e", body, meshwork.Flags.LOCAL))
            kept = 0
            with self.refused("MW_EOVERFLOW"):
                while kept < 40:
                    await self.within(a.__anext__())
                    kept += 1
            self.assertEqual(kept, 32)  # 16 MiB with the one above it
            await self.within(a.publish("e", "again", meshwork.Flags.LOCAL))
            self.assertEqual((await self.within(a.__anext__())).data, "again")
        self.assertEqual(self.failures, [])

    async def test_what_a_node_cannot_be(self):
        async with mesh() as node, meshwork.Context() as ctx:
            with self.refused("MW_EOPTION"):
                ctx.node()
            a = node("a")
            for verb in (lambda: a.call("x"), lambda: a.broadcast("x"), lambda: a.publish("x")):
                with self.refused("MW_ENOTCONN"):
                    verb()
            alone = node("b", **{"gate.services": {"words": 1}, "gate.timeout": 50})
            with self.refused("MW_ETIMEDOUT"):
                await self.within(alone.start())
            a.close()
            alone.close()

    def test_cycles_leave_nothing(self):
        async def cycle(n):
            for _ in range(n):
                async with meshwork.Context() as ctx:
                    b = ctx.node(options(folder, "b"))
                    b.serve("words", lambda r: r.data)
                    a = ctx.node(options(folder, "a", **{"gate.services": {"words": 1}}))
                    await asyncio.gather(a.start(), b.start())
                    self.assertEqual(await a.call("words", "x"), "x")
                    self.assertEqual(len(await a.broadcast("words", "x")), 1)
                    a.close()
                    b.close()

        def held():
            gc.collect()
            return descriptors(), threads()

        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(cycle(5))
            before, memory = held(), resident()
            asyncio.run(cycle(CYCLES))
            self.assertEqual(held(), before)
            self.assertLess(resident() - memory, 8000)


if __name__ == "__main__":
    unittest.main()
