"""What all live things have in common: verbs of every handle, of those that
are opened, that subscribe, that call, and that read. For the nouns of _link and _host."""

from __future__ import annotations

import asyncio
import collections
import ctypes
import json
import warnings
from typing import TYPE_CHECKING, Any, Callable, Deque, Dict, Mapping, Optional, Type, TypeVar, Union, overload

from . import _boundary as c
from ._dispatch import Dispatcher, Operation, options
from ._errors import Error, byref, check, detail
from ._calls import Call, Headers, call, oneway
from ._event import Event, Message, Request, Sendable
from ._event import message as _message
from ._tables import SubscriptionOptions

if TYPE_CHECKING:
    from ._link import Context

Handler = Callable[[Any], Any]
T = TypeVar("T")
H = TypeVar("H", bound=Handler)
S = TypeVar("S", bound="Live")

STATES = ("idle", "connecting", "up", "ready", "waiting", "draining")
STATS = {
    "buffered": 1, "last_beat": 2, "strikes": 3, "beat_interval": 4, "beat_cutoff": 5, "rtt": 6, "peers": 7,
    "in_flight": 8,    "bytes_in": 9, "bytes_out": 10, "dropped": 11, "queued": 12, "messages_in": 13, "messages_out": 14,
}  # fmt: skip
# Bytes of messages nobody has read yet, above which a peer is paused, or where
# that cannot be, no more are kept.
_HIGH, _MOST = 256 * 1024, 16 * 1024 * 1024
_OVERFLOW = -22


class Live:
    """Verbs every handle has, handlers, and the end."""

    _dispatcher: Dispatcher
    _handle: int

    def __init__(self, dispatcher: Dispatcher, handle: int) -> None:
        self._dispatcher, self._handle = dispatcher, handle
        self._handlers: Dict[str, Handler] = {}
        self._closed: asyncio.Future[None] = dispatcher.loop.create_future()
        self.end: Optional[Event] = None

    @overload
    def on(self, kind: str) -> Callable[[H], H]: ...
    @overload
    def on(self, kind: str, handler: H) -> H: ...
    def on(self, kind: str, handler: Optional[H] = None) -> Any:
        """Sets the handler of a kind of event ("message", "up", "peer_up" ...);
        as a decorator without the second argument. A handler gets one Event
        and may be a coroutine function. What it raises goes to the loop's
        exception handler."""
        if handler is None:
            return lambda given: self.on(kind, given)
        self._handlers[kind] = handler
        self._listened()
        return handler

    def _listened(self) -> None:
        """It has a handler now."""

    @property
    def state(self) -> str:
        """idle, connecting, up, ready, waiting, draining or closed."""
        status = c.state(self._handle)
        return STATES[status] if 0 <= status < len(STATES) else "closed"

    def stat(self, name: str) -> int:
        """One number; the README lists the names."""
        if name not in STATS:
            raise ValueError(f"no number is called {name!r}; there are {', '.join(STATS)}")
        value = ctypes.c_int64()
        check(c.stat(self._handle, STATS[name], byref(value)))
        return value.value

    def facts(self, what: str = "") -> Any:
        """Facts known at once: "" (all), "config", "address", "state", "topics"."""
        now, e, key = ctypes.c_void_p(), detail(), what.encode()
        check(c.info(self._handle, key, len(key), byref(now), 0, byref(e)), e)
        return json.loads(_owned(now))

    def info(self, what: str, timeout: Optional[float] = None) -> Operation[str]:
        """Facts that must be gathered: "peers" (JSON), "metrics" (Prometheus)."""
        key, now = what.encode(), ctypes.c_void_p()
        return self._operate(
            lambda op, e: c.info(self._handle, key, len(key), byref(now), op, e), lambda ev: ev.text, timeout
        )

    def pause(self, on: bool = True) -> None:
        """Stops taking input, so that TCP slows the sender down."""
        check(c.pause(self._handle, on))

    def close(self, code: int = 0, reason: str = "", abort: bool = False) -> None:
        """Closes: what was sent goes out first; abort cuts at once. May be
        called in every handler, and again."""
        text = reason.encode()
        status = c.close(self._handle, code, text, len(text), abort)
        if status not in (-4, -8):  # gone already, or the parent's
            check(status)

    @property
    def closed(self) -> bool:
        """Whether its last event has come."""
        return self._closed.done()

    async def wait_closed(self) -> None:
        """Until the last event has come; `end` then tells why."""
        await asyncio.shield(self._closed)

    async def __aenter__(self: S) -> S:
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], value: object, trace: object) -> None:
        self.close(abort=kind is not None)
        await self.wait_closed()

    def _operate(
        self, verb: Callable[[int, Any], int], convert: Callable[[Event], T], timeout: Optional[float]
    ) -> Operation[T]:
        return self._dispatcher.operate(self._handle, verb, convert, timeout)

    def _ended(self, event: Event) -> None:
        self.end = event.detached()
        if not self._closed.done():
            self._closed.set_result(None)

    def _heard(self, event: Event, handler: Optional[Handler]) -> None:
        """An event that concerns it."""
        if handler is not None:
            self._dispatcher.call(handler, event)


class Opened(Live):
    """What a context opens by options."""

    _kind: int
    _open: Any

    def _begin(self, context: "Context", given: Mapping[str, Any], more: Mapping[str, Any]) -> int:
        self.context = context
        dispatcher = context._dispatcher
        handle, e, token = ctypes.c_uint64(), detail(), dispatcher.name(self)
        try:
            conf = options(self._kind, given, more)
            try:
                check(self._open(context._handle, conf, token, byref(handle), byref(e)), e)
            finally:
                c.conf_unref(conf)
        except Error:
            del dispatcher.objects[token]
            raise
        return handle.value

    def start(self, timeout: Optional[float] = None) -> Operation[None]:
        """Listens or connects; done when usable. May be repeated."""
        return self._operate(lambda op, e: c.start(self._handle, op, e), nothing, timeout)

    def drain(self, seconds: float, timeout: Optional[float] = None) -> Operation[None]:
        """Refuses what is new, tells the peers, finishes, and closes within seconds."""
        return self._operate(lambda op, e: c.drain(self._handle, int(seconds * 1000), op, e), nothing, timeout)

    def update(self, changes: Mapping[str, Any], timeout: Optional[float] = None) -> Operation[None]:
        """Changes live options, all or none."""
        return change(self, self._kind, changes, timeout)

    def _listened(self) -> None:
        self.context._keep.add(self)  # with handlers it works until CLOSED, whoever refers to it

    async def __aenter__(self: S) -> S:
        try:
            await self.start()  # type: ignore[attr-defined]
        except BaseException:
            self.close(abort=True)
            raise
        return self

    def __del__(self) -> None:
        if getattr(self, "end", self) is None and not self._dispatcher.closing:
            c.close(self._handle, 1001, None, 0, 1)
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self)

    def _ended(self, event: Event) -> None:
        super()._ended(event)
        self.context._keep.discard(self)


    def _event(self, event: Event, peer: int) -> None:
        self._heard(event, self._handlers.get(event.kind))
        if event.kind == "closed":
            self._ended(event)


class Crowd(Opened):
    """What others come to: they are told by peer_up and peer_down."""

    @property
    def _people(self) -> Dict[int, Any]:
        """By the number the library knows them by."""
        raise NotImplementedError

    def _met(self, peer: int, up: Event) -> Live:
        raise NotImplementedError

    def _event(self, event: Event, peer: int) -> None:
        if event.kind == "peer_up":
            self._people[peer] = self._met(peer, event)
        one = event.peer = self._people.get(peer)
        if one is None:
            return super()._event(event, peer)
        handler = self._handlers.get(event.kind)
        if event.kind == "peer_down":
            del self._people[peer]
            one._ended(event)
            for last in (one._handlers.get("closed"), handler):
                self._heard(event, last)
        else:
            one._heard(event, one._handlers.get(event.kind, handler))


class Publisher(Live):
    """Verbs of who sends to all that subscribed."""

    def _publish(
        self, topic: str, data: Sendable, left_out: int, flags: int, headers: Headers, convert: Callable[[Event], T],
        timeout: Optional[float],
    ) -> Operation[T]:  # fmt: skip
        text = topic.encode()
        with _message(data, flags, headers) as m:
            return self._operate(
                lambda op, e: self._marked(c.publish(self._handle, text, len(text), m, left_out, flags, op)), convert, timeout
            )

    def _marked(self, status: int) -> int:
        return status


class Subscriber(Live):
    """Verbs of who subscribes."""

    def subscribe(
        self, pattern: str, options_: Optional[SubscriptionOptions] = None, timeout: Optional[float] = None
    ) -> Operation[None]:
        """Publishes that match reach it from the result on."""
        text = pattern.encode()
        conf = options(4, dict(options_ or {}), {})
        try:
            return self._operate(
                lambda op, e: c.subscribe(self._handle, text, len(text), conf, 0, op, None, e), nothing, timeout
            )
        finally:
            c.conf_unref(conf)

    def unsubscribe(self, pattern: str, timeout: Optional[float] = None) -> Operation[None]:
        """Ends every subscription with this pattern."""
        text = pattern.encode()
        return self._operate(lambda op, e: c.unsubscribe(self._handle, text, len(text), op), nothing, timeout)

    def subscribed(self, topic: str) -> bool:
        """Whether a publish to this topic would come here."""
        text = topic.encode()
        return check(c.subscribed(self._handle, text, len(text))) == 1


class Caller(Live):
    """Verbs of who can call."""

    def call(
        self, target: str, data: Sendable = b"", timeout: Optional[float] = None, parent: Optional[Request] = None,
        headers: Headers = None, credit: Union[int, str, None] = None, flags: int = 0,
    ) -> Call:  # fmt: skip
        """Calls a method of the other end. timeout: seconds, math.inf for none,
        None for the option call.timeout. parent: a request this is made for;
        its deadline and its end count here too. credit: bytes of a streamed
        answer that may come before they are taken."""
        given = {} if credit is None else {"credit": credit}
        return call(Call, self._dispatcher, self._handle, target, data, timeout, parent, headers, given, flags)

    def oneway(self, target: str, data: Sendable = b"", headers: Headers = None, flags: int = 0) -> None:
        """A call that nobody answers. Flags.REPEAT: of a share, again to each new leader."""
        oneway(self._handle, target, data, headers, flags)


class Reader(Live):
    """Messages one by one, and the wait for room."""

    _patient = True  # pause() lets the other side wait

    def __init__(self, dispatcher: Dispatcher, handle: int) -> None:
        super().__init__(dispatcher, handle)
        self._queue: Deque[Message] = collections.deque()
        self._waiting = 0  # bytes in the queue
        self._paused = self._full = self._lost = False
        self._readers: Deque[asyncio.Future[None]] = collections.deque()
        self._writers: Deque[asyncio.Future[None]] = collections.deque()

    async def writable(self) -> None:
        """Until sending is welcome again, after send() said False or MW_EAGAIN."""
        while self._full and not self.closed:
            await _wait(self._writers, self._dispatcher.loop)

    def __aiter__(self: S) -> S:
        return self

    async def __anext__(self) -> Message:
        while not self._queue:
            if self._lost:
                self._lost = False
                raise Error(_OVERFLOW)
            if self.closed:
                raise StopAsyncIteration
            await _wait(self._readers, self._dispatcher.loop)
        message = self._queue.popleft()
        self._waiting -= len(message.data) + 64
        if self._paused and self._waiting < _HIGH // 2:
            self._paused = False
            c.pause(self._handle, 0)
        return message

    def _message(self, message: Message, peer: int) -> None:
        handler = self._handlers.get("message")
        if handler is None:
            self._receive(message)
        else:
            self._dispatcher.call(handler, message)

    def _receive(self, message: Message) -> None:
        self._lost = self._lost or (self._waiting > _MOST and not self._patient)
        if self._lost:
            return
        self._queue.append(message)
        self._waiting += len(message.data) + 64
        if self._patient and not self._paused and self._waiting > _HIGH:
            self._paused = True
            c.pause(self._handle, 1)
        if self._readers:
            _wake(self._readers)

    def _heard(self, event: Event, handler: Optional[Handler]) -> None:
        if event.kind == "writable":
            self._full = False
            _wake(self._writers)
        super()._heard(event, handler)

    def _marked(self, status: int) -> int:
        self._full = self._full or status in (1, -20)
        return status

    def _ended(self, event: Event) -> None:
        super()._ended(event)
        _wake(self._readers)
        _wake(self._writers)


def change(
    target: Live, kind: int, changes: Mapping[str, Any], timeout: Optional[float]
) -> Operation[None]:
    conf = options(kind, changes, {})
    try:
        return target._operate(lambda op, e: c.update(target._handle, conf, op, e), nothing, timeout)
    finally:
        c.conf_unref(conf)


def _owned(m: ctypes.c_void_p) -> bytes:
    try:
        return c.message_bytes(m.value)
    finally:
        c.msg_unref(m)


def nothing(event: Event) -> None:
    return None


def code(event: Event) -> int:
    return event.code


async def _wait(waiters: Deque[asyncio.Future[None]], loop: asyncio.AbstractEventLoop) -> None:
    future: asyncio.Future[None] = loop.create_future()
    waiters.append(future)
    try:
        await future
    finally:
        if future in waiters:
            waiters.remove(future)


def _wake(waiters: Deque[asyncio.Future[None]]) -> None:
    while waiters:
        future = waiters.popleft()
        if not future.done():
            future.set_result(None)
