"""A line of the agents' protocol, and the verbs of calls: serve, call, reply, fail."""
import json
import math
import re
from urllib.parse import unquote_to_bytes

import meshwork
from meshwork import Error, Flags


class BufferedError(Exception):
    """Accepted, above the soft mark."""


class Words:
    """One line: verb, name, and key -> bytes; a body @N is generated."""

    def __init__(self, line):
        first, *rest = line.split(" ")
        self.verb, self.name, self.args = first, "", {}
        for w in rest:
            key, sign, value = w.partition("=")
            if not sign:
                self.name = key
            elif re.fullmatch(r"@\d+", value):
                n = int(value[1:])
                self.args[key] = (b"abcdefghijklmnopqrstuvwxyz" * (n // 26 + 1))[:n]
            else:
                self.args[key] = unquote_to_bytes(value)

    def take(self, key, absent=""):
        return self.args.pop(key, absent.encode()).decode("utf-8", "surrogateescape")

    def number(self, key, absent=0):
        return int(self.take(key, str(absent)))

    def flags(self):
        names = [n for n in self.take("flags").split("+") if n in Flags.__members__]
        return int(sum(Flags[n] for n in set(names)))

    def headers(self):
        return {k[5:]: v for k, v in self.args.items() if k.startswith("meta.")} or None

    def options(self, *own):
        return {k: v.decode("utf-8", "surrogateescape") for k, v in self.args.items() if k not in own}


class Calls:
    """Mixed into the Agent."""

    def do_serve(self, words, event):
        to, name, alias = self.target(words, event), words.take("name"), words.take("as")
        thing = self.objects[alias] = to.serve(name, lambda r: self.tell(thing, r), words.options())
        self.listen(thing)

    def do_call(self, words, event):
        to, target, data, headers = self.target(words, event), words.take("target"), self.body(words, event), words.headers()
        ms, flags, parent, credit = words.number("ms"), words.flags(), words.take("parent"), words.take("credit")
        if flags & Flags.ONEWAY and "op" not in words.args:
            return to.oneway(target, data, headers, flags)
        if "op" not in words.args:
            raise Error(-1, "a call needs an op")
        timeout = None if ms == 0 else math.inf if ms < 0 else ms / 1000
        request = self.target(Words("x " + parent), event) if parent else None
        op = words.number("op")
        data = data.decode() if flags & Flags.TEXT else data
        routes = {k: words.take(k) for k in ("version", "only", "exclude", "sticky", "retry.safe") if k in words.args}
        ask = to.broadcast if flags & Flags.ALL else to.call
        call = ask(target, data, timeout, request, headers, *([] if flags & Flags.ALL else [credit or None]), flags, **routes)
        call.add_done_callback(lambda f: f.cancelled() or f.exception())
        call._part = lambda e: self.told_part(to, op, e)
        self.ops[call.id] = op
        self.ops["of", op] = call

    def told_part(self, to, op, event):
        event.peer = to if isinstance(to, meshwork.Connection) else None
        self.ops[event.id] = op
        self.tell(to.provider if event.peer else to, event)

    def do_reply(self, words, event):
        r, flags, headers, data = self.target(words, event), words.flags(), words.headers(), self.body(words, event)
        data = data.decode() if flags & Flags.TEXT else data
        if not flags & Flags.MORE:
            r.reply(data, flags, headers)
        elif not r.part(data, flags, headers):
            raise BufferedError

    def do_fail(self, words, event):
        json_, code = words.take("json"), words.take("code")
        code, request = next((int(c) for c in meshwork.Code if c.name == code), 0), self.target(words, event)
        (request.give_back if words.take("retry") else request.fail)(json.loads(json_) if json_ else "", code)
