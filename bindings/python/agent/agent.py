#!/usr/bin/env python3
"""The Python agent of the scenario table, on the public classes of meshwork.

usage: agent.py turn|queue
turn: the event loop turns the lane (threads=0); queue: a library thread does."""
import asyncio
import json
import os
import sys
import threading

import meshwork
from calls import BufferedError, Calls, Words
from meshwork import Error, Flags

PLAIN = frozenset(range(33, 127)) - {ord("%")}
# Facts are told whole, messages up to this.
LIMIT = {"MESSAGE": 512, "DROPPED": 512, "REQUEST": 512, "PART": 512}
KINDS = "cancel up down closed error log peer_up peer_down message writable slow dropped ping pong interest done ask draining leader \
ready member_up member_down member_changed service_up service_down"


def show(data, limit=None):
    if limit is not None and len(data) > limit:
        h = 2166136261
        for b in data:
            h = (h ^ b) * 16777619 & 0xFFFFFFFF
        return f"@{len(data)}:{h:08x}"
    return "".join(chr(b) if b in PLAIN and (i or b != 64) else f"%{b:02X}" for i, b in enumerate(data))


def raw(data):
    return data.encode() if isinstance(data, str) else data


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Agent(Calls):
    def __init__(self, door):
        self.threads = 0 if door == "turn" else 1
        self.forget()

    def forget(self):
        self.context, self.objects, self.peers, self.asks, self.hooks, self.ops = None, {}, {}, {}, {}, {}
        self.requests = {}

    # -- events
    def tell(self, source, event):
        kind = event.kind.upper()
        if kind == "DONE" and not self.ops.get(event.id):
            return  # the line named no op
        name = "ctx" if source is self.context else next(n for n, o in self.objects.items() if o is source)
        connection = event.peer if isinstance(event.peer, (meshwork.Connection, meshwork.Member)) else None
        if kind == "PEER_UP":
            self.peers[self.free(name, "", self.peers)] = connection
        if kind == "REQUEST" and event:
            self.requests[self.free(name, "r", self.requests)] = event
        if kind == "ASK":
            self.asks[self.free(name, "ask", self.asks)] = event
        text = f"! {name} {kind}" + (f" status={event.reason[3:]}" if event.status else "")
        if event.code:
            text += f" code={event.code}"
        ids = {"DONE": self.ops.get(event.id), "PART": self.ops.get(event.id), "CLOSED": name, "ASK": self.name_of(self.asks, event)}
        if kind in ("REQUEST", "CANCEL", "WRITABLE") and event.id:
            ids[kind] = next((n for n, r in self.requests.items() if r.id == event.id), "?")
        if kind in ids or event.id:
            text += f" id={ids.get(kind, event.id)}"
        if isinstance(source, meshwork.Service) and isinstance(event.peer, meshwork.Consumer):
            text += f" peer={next(n for n, o in self.objects.items() if o is event.peer)}"
        if connection is not None:
            text += f" peer={self.name_of(self.peers, connection)}"
        flags = "+".join(f.name for f in Flags if event.flags & f)
        for key, value in (("flags", flags), ("topic", show(raw(event.topic))), ("meta", show(event.meta)),
                           ("body", show(raw(event.data), LIMIT.get(kind)))):
            text += f" {key}={value}" if value else ""
        say(text)
        for line in self.hooks.get((name, kind), []):
            words = Words(line)
            say(f"! {name} HOOK verb={words.verb} status={self.carry_out(words, event)[0]}")

    def free(self, base, infix, names):
        return next(name for n in range(1, len(names) + 2) if (name := f"{base}.{infix}{n}") not in names)

    def name_of(self, names, thing):
        return next((n for n, t in names.items() if t is thing), "?")

    # -- verbs: each answers with more words
    def target(self, words, event=None):
        here = {"ctx": self.context, "$peer": event and event.peer, "$id": event}
        for names in (here, self.objects, self.peers, self.asks, self.requests):
            if words.name in names:
                return names[words.name]
        raise Error(-4, "nobody is called " + words.name)

    def body(self, words, event):
        data = words.args.pop("body", b"")
        return raw(event.data) if event is not None and data == b"$body" else data

    def noted(self, words, begin):
        """Runs begin() as an operation where the line has an op."""
        op = words.number("op")
        operation = begin()
        # DONE says how it ended; here nobody awaits it.
        operation.add_done_callback(lambda f: f.cancelled() or f.exception())
        self.ops[operation.id] = op
        self.ops["of", op] = operation

    def carry_out(self, words, event=None):
        try:
            method = getattr(self, "do_" + words.verb, None)
            if method is None:
                return "ENOTSUP", " error=no%20such%20verb"
            return "OK", method(words, event) or ""
        except BufferedError:
            return "BUFFERED", ""
        except Error as e:
            return e.name[3:], f" error={show(e.text.encode())}"
        except (ValueError, TypeError) as e:  # text that is no text, a number that is none
            return "EINVAL", f" error={show(ascii(e).encode())}"
        except AttributeError as e:  # so Python answers a verb the kind does not have
            return "EKIND", f" error={show(str(e).encode())}"

    def do_ctx(self, words, event):
        self.before = count_threads()
        self.context = meshwork.Context({"threads": self.threads, **words.options()})
        self.listen(self.context)

    def listen(self, thing):
        for kind in KINDS.split():
            thing.on(kind, lambda e, thing=thing: self.tell(thing, e))

    def do_provider(self, words, event):
        thing = self.objects[words.name] = getattr(self.context, words.verb)(words.options())
        self.listen(thing)
        if isinstance(thing, meshwork.Share):
            thing.serve(lambda request: self.tell(thing, request))

    do_consumer = do_channel = do_hub = do_share = do_node = do_manager = do_provider

    def do_elect(self, words, event):
        thing = self.objects[words.name] = self.context.election(words.take("name"), words.options())
        self.listen(thing)

    def do_start(self, words, event):
        self.noted(words, self.target(words, event).start)

    def do_send(self, words, event):
        to, flags, headers, data = self.target(words, event), words.flags(), words.headers(), self.body(words, event)
        if "op" in words.args:
            self.noted(words, lambda: to.deliver(data, flags, headers))
        elif not to.send(data, flags, headers):
            raise BufferedError

    do_bytes = do_send

    def do_publish(self, words, event):
        flags, headers, data, topic = words.flags(), words.headers(), self.body(words, event), words.take("topic")
        name = words.take("except")
        exclude = self.target(Words("x " + name), event) if name else None
        to = self.target(words, event)
        more = [exclude] if isinstance(to, meshwork.Provider) else []
        self.noted(words, lambda: to.publish(topic, data, *more, flags=flags, headers=headers))

    def do_subscribe(self, words, event):
        to, pattern, name = self.target(words, event), words.take("pattern"), words.take("as")
        options = words.options("op")
        if not name:
            return self.noted(words, lambda: to.subscribe(pattern, options))
        thing = self.objects[name] = to.subscription(pattern, options)
        self.listen(thing)
        self.noted(words, lambda: thing.ready)

    def do_unsubscribe(self, words, event):
        pattern = words.take("pattern")
        self.noted(words, lambda: self.target(words, event).unsubscribe(pattern))

    def do_subscribed(self, words, event):
        return f" value={int(self.target(words, event).subscribed(words.take('topic')))}"

    def do_close(self, words, event):
        self.target(words, event).close(words.number("code"), words.take("reason"), "ABORT" in words.take("flags"))

    def do_drain(self, words, event):
        self.noted(words, lambda: self.target(words, event).drain(words.number("ms", 5000) / 1000))

    def do_update(self, words, event):
        options = words.options("op", "kind")
        self.noted(words, lambda: self.target(words, event).update(options))

    def do_pause(self, words, event):
        getattr(self.target(words, event), words.verb)(bool(words.number("on", 1)))

    do_cork = do_pause

    def do_records(self, words, event):
        to, flags, many = self.target(words, event), words.flags(), [self.body(words, event)] * words.number("n", 1)
        if not to.send_many(many, flags):
            raise BufferedError

    def do_conf(self, words, event):
        get, kind = words.take("get"), getattr(self.context, words.name, meshwork.Context)
        thing = kind(words.options())
        value = thing.facts("config")[get] if get else None
        thing.close(abort=True)
        return f" value={show(str(value).encode())}" if get else ""

    def do_state(self, words, event):
        state = self.target(words, event).state
        if state == "closed":
            raise Error(-4)
        return f" value={('idle', 'connecting', 'up', 'ready', 'waiting', 'draining').index(state)}"

    def do_stat(self, words, event):
        return f" value={self.target(words, event).stat(words.take('what').lower())}"

    def do_info(self, words, event):
        what = words.take("what")
        if "op" in words.args:
            return self.noted(words, lambda: self.target(words, event).info(what))
        facts = json.dumps(self.target(words, event).facts(what), separators=(",", ":"))  # as the library writes it
        return f" body={show(facts.encode())}"

    def do_answer(self, words, event):
        ask, facts = self.target(words, event), json.loads(words.take("json", "{}"))
        ask.allow(facts.get("data")) if words.number("allow", 1) else ask.deny(facts.get("status"), facts.get("body"))

    def do_cancel(self, words, event):
        self.target(words, event)
        if (operation := self.ops.get(("of", words.number("op")))) is not None:
            operation.cancel()

    def do_hook(self, words, event):
        self.hooks.setdefault((words.name, words.take("kind")), []).append(words.take("do"))

    async def end(self):
        if self.context is None:
            return "ESTATE", ""
        self.context.close()
        await self.context.wait_closed()
        before = self.before
        self.forget()
        # A joined thread stands in /proc a moment longer than in the process.
        for _ in range(1000):
            if count_threads() <= before:
                break
            await asyncio.sleep(0.001)
        return "OK", f" fds={len(os.listdir('/proc/self/fd')) - 1} threads={count_threads()}"


def count_threads():
    return len(os.listdir("/proc/self/task"))


async def main():
    loop, lines = asyncio.get_running_loop(), asyncio.Queue()

    def read():
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line.rstrip("\n"))
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    agent = Agent(sys.argv[1])
    say(f"hello python {sys.argv[1]} {meshwork.library_version()}")
    while True:
        line = await lines.get()
        if line == "quit":
            sys.exit(0)  # with everything open that is open
        status, more = await agent.end() if line == "end" else agent.carry_out(Words(line))
        say(f"= {status}{more}")


if __name__ == "__main__":
    asyncio.run(main())
