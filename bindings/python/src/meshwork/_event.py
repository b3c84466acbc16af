"""What comes out of the library: events and messages, as owned Python values.
No handle and no borrowed byte is kept; any thread may keep them."""

from __future__ import annotations

import contextlib
import json
import struct
from enum import IntFlag
from typing import Any, Dict, Iterator, Mapping, Optional, Union

from . import _boundary as c
from ._errors import Error, byref, check, detail

Data = Union[str, bytes]
Sendable = Union[str, bytes, bytearray, memoryview]

KINDS = {
    1: "up", 2: "down", 3: "ready", 4: "closed", 5: "error", 6: "log", 10: "peer_up", 11: "peer_down", 20: "message",
    21: "writable", 22: "slow", 23: "dropped", 25: "ping", 26: "pong", 27: "interest", 30: "part", 31: "done",
    32: "released", 40: "request", 41: "cancel", 50: "ask", 60: "member_up", 61: "member_down",
    62: "member_changed", 63: "service_up", 64: "service_down", 65: "leader", 66: "draining",
}  # fmt: skip
MESSAGE, PART, DONE, REQUEST, ASK = 20, 30, 31, 40, 50


class Flags(IntFlag):
    """Of sends, and seen in events."""

    TEXT = 0x1
    COMPRESS = 0x2
    MORE = 0x4
    CONT = 0x8
    PING = 0x10
    ONEWAY = 0x100
    ALL = 0x400
    REPEAT = 0x800
    PARTS = 0x1000
    NOQUEUE = 0x2000
    LOCAL = 0x80
    RETAINED = 0x10000
    RESUMED = 0x80000
    DUMP = 0x200000
    FATAL = 0x800000
    ASCII = 0x2000000


TEXT, MORE, PARTS, REF = 0x1, 0x4, 0x1000, 0x1000000
_RETRY = 0x1  # of fail: no answer yet
_PAIR = struct.Struct("<HI")


class Event:
    """Something that happened to `source` (a Context, Provider, Channel ...).

    peer is whom it concerns: a Connection, the Consumer itself, a Member of a channel, or None. The
    meaning of status, code and id depends on the kind: see the README. data is
    text where the library says so, else bytes."""

    __slots__ = ("kind", "source", "peer", "status", "code", "id", "flags", "topic", "data", "meta")

    def __init__(
        self, kind: str, source: Any, peer: Any, status: int, code: int, id: int, flags: int, topic: str, data: Data,
        meta: bytes,
    ) -> None:  # fmt: skip
        self.kind, self.source, self.peer = kind, source, peer
        self.status, self.code, self.id = status, code, id
        self.flags, self.topic, self.data, self.meta = flags, topic, data, meta

    def detached(self) -> "Event":
        """The same without source and peer, so that they can keep it and be
        freed without the collector."""
        return Event(
            self.kind, None, None, self.status, self.code, self.id, self.flags, self.topic, self.data, self.meta
        )

    @property
    def text(self) -> str:
        """data as text, whatever it came as."""
        return self.data if isinstance(self.data, str) else self.data.decode("utf-8", "replace")

    @property
    def reason(self) -> str:
        """The name of status, such as "MW_EPEERGONE"; "MW_OK" for a good end."""
        name: bytes = c.status_name(self.status)
        return name.decode()

    def json(self) -> Any:
        """data read as JSON: facts of up, peer_up and ask."""
        return json.loads(self.data)

    @property
    def headers(self) -> Dict[str, bytes]:
        """Headers of a message on the library's own wire."""
        found, at = {}, 0
        while at + _PAIR.size <= len(self.meta):
            k, v = _PAIR.unpack_from(self.meta, at)
            at += _PAIR.size
            found[self.meta[at : at + k].decode("utf-8", "replace")] = self.meta[at + k : at + k + v]
            at += k + v
        return found

    def __repr__(self) -> str:
        shown = self.data if len(self.data) <= 40 else self.data[:40]
        return f"<{type(self).__name__} {self.kind} {shown!r}>"


class Message(Event):
    """One message, whole. data is str where the sender said text, else bytes;
    answers go to peer.send()."""

    __slots__ = ()


class Ask(Event):
    """May this client come in? Answer once, now or later, before auth.timeout;
    no answer means no."""

    __slots__ = ()

    def allow(self, data: Any = None) -> None:
        """Yes. data comes back in the facts of peer_up."""
        self._answer(1, {"data": data} if data is not None else {})

    def deny(self, status: Optional[int] = None, body: Optional[str] = None) -> None:
        """No, with this HTTP status and body."""
        told = {"status": status, "body": body}
        self._answer(0, {k: v for k, v in told.items() if v is not None})

    def _answer(self, allow: int, facts: Dict[str, Any]) -> None:
        text = json.dumps(facts).encode() if facts else None
        e = detail()
        check(c.answer(self.id, allow, text, len(text or b""), byref(e)), e)


class Request(Event):
    """A call to answer: once, now or later, by whatever thread turns the loop.
    topic is the method, code the milliseconds left (-1: no limit). False: a
    oneway call, which takes no answer (one of a queue does)."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self.id != 0

    def reply(self, data: Sendable = b"", flags: int = 0, headers: Optional[Mapping[str, Union[str, bytes]]] = None) -> None:
        """The answer. Raises MW_ECLOSED where it was answered or is over."""
        with message(data, flags, headers) as m:
            check(c.reply(self.id, m, flags & ~(TEXT | MORE), 0))

    def part(self, data: Sendable, flags: int = 0, headers: Optional[Mapping[str, Union[str, bytes]]] = None) -> bool:
        """One part of several before the answer. False: accepted, but much is
        waiting; "writable" of the service follows, as after MW_EAGAIN."""
        with message(data, flags, headers) as m:
            return check(c.reply(self.id, m, flags & ~TEXT | MORE, 0)) == 0

    def fail(self, why: Union[str, Mapping[str, Any]] = "", code: int = 0) -> None:
        """A failure; why is its message, or an object with one. The code 0 is MW_EREMOTE."""
        self._fail(why, code, 0)

    def give_back(self, why: Union[str, Mapping[str, Any]] = "", code: int = 0) -> None:
        """Back into the queue of its service, to come again later; why and code
        are the caller's where that was the last time."""
        self._fail(why, code, _RETRY)

    def _fail(self, why: Union[str, Mapping[str, Any]], code: int, flags: int) -> None:
        facts = {"message": why} if isinstance(why, str) and why else why
        text = json.dumps(facts).encode() if facts else None
        check(c.fail(self.id, code, text, len(text or b""), flags))


@contextlib.contextmanager
def message(data: Sendable, flags: int, headers: Optional[Mapping[str, Union[str, bytes]]]) -> Iterator[Any]:
    """A message of the library for as long as the block lasts."""
    body, text = (data.encode(), TEXT) if isinstance(data, str) else (bytes(data), flags & TEXT)
    m = c.msg_new(body, len(body), text | flags & (2 | PARTS))
    if m is None:
        raise Error(-1, "no message: out of memory, or text that is not UTF-8")
    try:
        for key, value in (headers or {}).items():
            k, v = key.encode(), value.encode() if isinstance(value, str) else value
            check(c.msg_set(m, k, len(k), v, len(v)))
        yield m
    finally:
        c.msg_unref(m)
