"""What comes out of the library: events and messages, as owned Python values.
No handle and no borrowed byte is kept; any thread may keep them."""

from __future__ import annotations

import json
import struct
from enum import IntFlag
from typing import Any, Dict, Optional, Union

from . import _boundary as c
from ._errors import byref, check, detail

Data = Union[str, bytes]

KINDS = {
    1: "up", 2: "down", 4: "closed", 5: "error", 6: "log", 10: "peer_up", 11: "peer_down", 20: "message",
    21: "writable", 22: "slow", 23: "dropped", 25: "ping", 26: "pong", 27: "interest", 31: "done", 32: "released",
    50: "ask", 66: "draining",
}  # fmt: skip
MESSAGE, DONE, ASK = 20, 31, 50


class Flags(IntFlag):
    """Of sends, and seen in events."""

    TEXT = 0x1
    COMPRESS = 0x2
    MORE = 0x4
    CONT = 0x8
    PING = 0x10
    NOQUEUE = 0x2000
    LOCAL = 0x80
    RESUMED = 0x80000
    FATAL = 0x800000
    ASCII = 0x2000000


TEXT, REF = 0x1, 0x1000000
_PAIR = struct.Struct("<HI")


class Event:
    """Something that happened to `source` (a Context, Provider or Consumer).

    peer is whom it concerns: a Connection, the Consumer itself, or None. The
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
