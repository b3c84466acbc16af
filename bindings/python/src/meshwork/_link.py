"""The nouns: Context, Provider, Consumer, Connection, Service and Subscription. Each belongs to the
event loop it was made on; only send() may be called from other threads."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import ctypes
import json
import warnings
import weakref
from typing import Any, Callable, Deque, Dict, Iterator, Mapping, Optional, Sequence, Set, Type, TypeVar, Union, overload

from . import _boundary as c
from ._boundary import send_bytes
from ._dispatch import Dispatcher, Operation, options
from ._errors import Error, byref, check, detail
from ._calls import Call, Headers, Running, call, oneway, serve
from ._event import TEXT, Event, Message, Request, Sendable
from ._event import message as _message
from ._tables import ConsumerOptions, ContextOptions, ProviderOptions, ServiceOptions, SubscriptionOptions

Handler = Callable[[Any], Any]
T = TypeVar("T")
H = TypeVar("H", bound=Handler)
S = TypeVar("S", bound="_Live")

STATES = ("idle", "connecting", "up", "ready", "waiting", "draining")
STATS = {
    "buffered": 1, "last_beat": 2, "strikes": 3, "beat_interval": 4, "beat_cutoff": 5, "rtt": 6, "peers": 7,
    "in_flight": 8,    "bytes_in": 9, "bytes_out": 10, "dropped": 11, "queued": 12, "messages_in": 13, "messages_out": 14,
}  # fmt: skip
# Bytes of messages nobody has read yet, above which a peer is paused.
_HIGH = 256 * 1024


class _Live:
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


class _Peer(_Live):
    """Something messages are sent to and received from."""

    def __init__(self, dispatcher: Dispatcher, handle: int) -> None:
        super().__init__(dispatcher, handle)
        self._queue: Deque[Message] = collections.deque()
        self._waiting = 0  # bytes in the queue
        self._paused = self._full = False
        self._readers: Deque[asyncio.Future[None]] = collections.deque()
        self._writers: Deque[asyncio.Future[None]] = collections.deque()

    def send(self, data: Sendable, flags: int = 0, headers: Optional[Mapping[str, Union[str, bytes]]] = None) -> bool:
        """Sends one message: str as text, bytes as binary. True: accepted.
        False: accepted, but much is waiting; `await writable()` before more.
        Raises Error where nothing was kept: MW_EAGAIN (full), MW_ENOTCONN ...
        Headers travel on the library's own wire only. Any thread."""
        if headers is None:
            if type(data) is str:
                body, flags = data.encode(), flags | TEXT
            else:
                body = data if type(data) is bytes else bytes(data)  # type: ignore[arg-type]
            status: int = send_bytes(self._handle, body, len(body), flags)
        else:
            with _message(data, flags, headers) as m:
                status = c.send(self._handle, m, flags, 0)
        if status == 0:
            return True
        if status == 1 or status == -20:
            self._full = True
        check(status)
        return False

    def deliver(
        self, data: Sendable, flags: int = 0, headers: Optional[Mapping[str, Union[str, bytes]]] = None,
        timeout: Optional[float] = None,
    ) -> Operation[int]:  # fmt: skip
        """Sends and tells what became of it: 0 the kernel has it, 1 the other
        side's program took it (the library's own wire)."""
        with _message(data, flags, headers) as m:
            return self._operate(lambda op, e: self._marked(c.send(self._handle, m, flags, op)), _code, timeout)

    def send_many(self, many: Sequence[Sendable], flags: int = 0) -> bool:
        """Sends several messages in one crossing, in order; answers as send().
        What was refused raises; the others were sent."""
        bodies = [d.encode() if isinstance(d, str) else bytes(d) for d in many]
        records, at = bytearray(64 * len(bodies)), 0
        for i, (data, body) in enumerate(zip(many, bodies)):
            text = TEXT if isinstance(data, str) else 0
            c.RECORD.pack_into(records, 64 * i, 0, 0, 0, 0, self._handle, flags | text, 0, at, 0, 0, len(body), 0)
            at += len(body)
        room = (ctypes.c_char * len(records)).from_buffer(records)
        check(c.send_records(self._dispatcher.handle, room, 64, len(bodies), b"".join(bodies)))
        statuses = [r[1] for r in c.RECORD.iter_unpack(records)]
        self._full = self._full or any(s in (1, -20) for s in statuses)
        check(min(statuses, default=0))
        return not any(statuses)

    def ping(self, data: Sendable = b"") -> None:
        """Sends a ping; `pong` tells, where the option events has it."""
        self.send(data, 0x10)

    async def writable(self) -> None:
        """Until sending is welcome again, after send() said False or MW_EAGAIN."""
        while self._full and not self.closed:
            await _wait(self._writers, self._dispatcher.loop)

    def cork(self, on: bool = True) -> None:
        """Holds what is written until off again, at most cork.max; nests."""
        check(c.cork(self._handle, on))

    @contextlib.contextmanager
    def corked(self) -> Iterator[None]:
        """Holds what is sent inside, and lets it go as one."""
        self.cork()
        try:
            yield
        finally:
            c.cork(self._handle, 0)

    def call(
        self, target: str, data: Sendable = b"", timeout: Optional[float] = None, parent: Optional[Request] = None,
        headers: Headers = None, credit: Union[int, str, None] = None, flags: int = 0,
    ) -> Call:  # fmt: skip
        """Calls a method of the other end. timeout: seconds, math.inf for none,
        None for the option call.timeout. parent: a request this is made for;
        its deadline and its end count here too. credit: bytes of a streamed
        answer that may come before they are taken."""
        return call(self._dispatcher, self._handle, target, data, timeout, parent, headers, credit, flags)

    def oneway(self, target: str, data: Sendable = b"", headers: Headers = None) -> None:
        """A call that nobody answers."""
        oneway(self._handle, target, data, headers)

    def subscribe(
        self, pattern: str, options_: Optional[SubscriptionOptions] = None, timeout: Optional[float] = None
    ) -> Operation[None]:
        """Publishes that match reach this peer from the result on."""
        text = pattern.encode()
        conf = options(4, dict(options_ or {}), {})
        try:
            return self._operate(
                lambda op, e: c.subscribe(self._handle, text, len(text), conf, 0, op, None, e), _nothing, timeout
            )
        finally:
            c.conf_unref(conf)

    def unsubscribe(self, pattern: str, timeout: Optional[float] = None) -> Operation[None]:
        """Ends every subscription with this pattern."""
        text = pattern.encode()
        return self._operate(lambda op, e: c.unsubscribe(self._handle, text, len(text), op), _nothing, timeout)

    def subscribed(self, topic: str) -> bool:
        """Whether a publish to this topic would come here."""
        text = topic.encode()
        return check(c.subscribed(self._handle, text, len(text))) == 1

    # -- reception
    def __aiter__(self: S) -> S:
        return self

    async def __anext__(self) -> Message:
        while not self._queue:
            if self.closed:
                raise StopAsyncIteration
            await _wait(self._readers, self._dispatcher.loop)
        message = self._queue.popleft()
        self._waiting -= len(message.data) + 64
        if self._paused and self._waiting < _HIGH // 2:
            self._paused = False
            c.pause(self._handle, 0)
        return message

    def _receive(self, message: Message) -> None:
        self._queue.append(message)
        self._waiting += len(message.data) + 64
        if not self._paused and self._waiting > _HIGH:
            self._paused = True
            c.pause(self._handle, 1)
        if self._readers:
            _wake(self._readers)

    def _heard(self, event: Event, handler: Optional[Handler]) -> None:
        """An event that concerns this peer."""
        if event.kind == "writable":
            self._full = False
            _wake(self._writers)
        if handler is not None:
            self._dispatcher.call(handler, event)

    def _marked(self, status: int) -> int:
        self._full = self._full or status in (1, -20)
        return status

    def _ended(self, event: Event) -> None:
        super()._ended(event)
        _wake(self._readers)
        _wake(self._writers)


class Connection(_Peer):
    """A peer of a provider. facts(): uuid, ip, port, parameters, wire ..."""

    def __init__(self, provider: "Provider", handle: int, up: Event) -> None:
        super().__init__(provider._dispatcher, handle)
        self.provider, self._up = provider, up.detached()

    @property
    def about(self) -> Dict[str, Any]:
        """What was known when it came: uuid, ip, port, parameters, data ..."""
        facts: Dict[str, Any] = self._up.json()
        return facts

    @property
    def id(self) -> int:
        """The number the library knows it by."""
        return self._handle

    def subscription(self, pattern: str, options_: Optional[SubscriptionOptions] = None) -> "Subscription":
        """A subscription that is closed by itself, not by its pattern."""
        return Subscription(self, pattern, options_)


class Subscription(_Live):
    """One subscription of a connection, until close() or the connection's end.
    `await subscription.ready` says that publishes reach the connection."""

    ready: Operation[None]

    def __init__(self, connection: Connection, pattern: str, options_: Optional[SubscriptionOptions] = None) -> None:
        super().__init__(connection._dispatcher, 0)
        self.connection, self.pattern = connection, pattern
        handle, text, token = ctypes.c_uint64(), pattern.encode(), self._dispatcher.name(self)
        conf = options(4, dict(options_ or {}), {})
        try:
            self.ready = connection._operate(
                lambda op, e: c.subscribe(connection._handle, text, len(text), conf, token, op, byref(handle), e),
                _nothing, None,
            )  # fmt: skip
        except Error:
            del self._dispatcher.objects[token]
            raise
        finally:
            c.conf_unref(conf)
        self._handle = handle.value
        connection.provider.context._keep.add(self)

    def _event(self, event: Event, peer: int) -> None:
        handler = self._handlers.get(event.kind)
        if handler is not None:
            self._dispatcher.call(handler, event)
        if event.kind == "closed":
            self.connection.provider.context._keep.discard(self)
            self._ended(event)


class Service(_Live):
    """What a provider or consumer serves under one name. Handlers: "cancel"
    (a request is over), "writable", "closed"."""

    def __init__(
        self, owner: "_Endpoint", name: str, handler: Callable[[Request], Any], given: Mapping[str, Any]
    ) -> None:
        dispatcher = owner._dispatcher
        super().__init__(dispatcher, 0)
        self.owner, self.name, self._running = owner, name, Running(dispatcher, handler)
        token = dispatcher.name(self)
        try:
            self._handle = serve(dispatcher, owner._handle, name, token, given)
        except Error:
            del dispatcher.objects[token]
            raise
        owner.context._keep.add(self)

    def drain(self, seconds: float, timeout: Optional[float] = None) -> Operation[None]:
        """Refuses new calls, finishes what runs, and closes within seconds."""
        return self._operate(lambda op, e: c.drain(self._handle, int(seconds * 1000), op, e), _nothing, timeout)

    def _event(self, event: Event, peer: int) -> None:
        event.peer = self.owner._whom(peer)
        if isinstance(event, Request):
            return self._running.begin(event)
        if event.kind == "cancel":
            self._running.canceled(event.id)
        elif event.kind == "writable":
            self._running.writable(event.id)
        handler = self._handlers.get(event.kind)
        if handler is not None:
            self._dispatcher.call(handler, event)
        if event.kind == "closed":
            self.owner.context._keep.discard(self)
            self._ended(event)


class _Endpoint(_Live):
    """What a context opens: a Provider or a Consumer."""

    _kind: int
    _open: Any
    _defaults: Mapping[str, Any] = {}

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
        return self._operate(lambda op, e: c.start(self._handle, op, e), _nothing, timeout)

    def serve(
        self, name: str, handler: Callable[[Request], Any], options_: Optional[ServiceOptions] = None, **more: Any
    ) -> Service:
        """Serves calls: "C" every method "C.x" and "C" itself, "C.m" one. What
        handler(request) returns is the answer (None of a plain function: it
        answers later, by request.reply), what it raises a failure. It may be a
        coroutine function, cancelled when the request is over, or an async
        generator, whose items are parts."""
        return Service(self, name, handler, {**(options_ or {}), **more})

    def _whom(self, peer: int) -> Any:
        return self

    def drain(self, seconds: float, timeout: Optional[float] = None) -> Operation[None]:
        """Refuses what is new, tells the peers, finishes, and closes within seconds."""
        return self._operate(lambda op, e: c.drain(self._handle, int(seconds * 1000), op, e), _nothing, timeout)

    def update(self, changes: Mapping[str, Any], timeout: Optional[float] = None) -> Operation[None]:
        """Changes live options, all or none."""
        return _update(self, self._kind, changes, timeout)

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


class Provider(_Endpoint):
    """A listener that admits many consumers. `async with` starts and closes it."""

    _kind, _open = 2, staticmethod(c.provider_open)

    def __init__(self, context: "Context", options_: Optional[ProviderOptions] = None, **more: Any) -> None:
        self.connections: Dict[int, Connection] = {}
        _Live.__init__(self, context._dispatcher, self._begin(context, options_ or {}, more))

    def publish(
        self, topic: str, data: Sendable, exclude: Optional[Connection] = None, flags: int = 0,
        headers: Optional[Mapping[str, Union[str, bytes]]] = None, timeout: Optional[float] = None,
    ) -> Operation[int]:  # fmt: skip
        """Sends to every connection subscribed to topic ("" : to all), encoded
        once. The result is how many were reached."""
        text, left_out = topic.encode(), exclude._handle if exclude is not None else 0
        with _message(data, flags, headers) as m:
            return self._operate(
                lambda op, e: c.publish(self._handle, text, len(text), m, left_out, flags, op), _code, timeout
            )

    def _whom(self, peer: int) -> Any:
        return self.connections.get(peer)

    @property
    def address(self) -> str:
        """Where it listens: the first address, with the real port."""
        first: str = self.facts("address")["address"][0]
        return first

    def _message(self, message: Message, peer: int) -> None:
        connection = self.connections[peer]
        message.peer = connection
        handler = connection._handlers.get("message") or self._handlers.get("message")
        if handler is None:
            connection._receive(message)
        else:
            self._dispatcher.call(handler, message)

    def _event(self, event: Event, peer: int) -> None:
        connection = self.connections.get(peer)
        if event.kind == "peer_up":
            connection = self.connections[peer] = Connection(self, peer, event)
        event.peer = connection
        handler = self._handlers.get(event.kind)
        if connection is None:
            if handler is not None:
                self._dispatcher.call(handler, event)
        elif event.kind == "peer_down":
            del self.connections[peer]
            connection._ended(event)
            for last in (connection._handlers.get("closed"), handler):
                if last is not None:
                    self._dispatcher.call(last, event)
        else:
            connection._heard(event, connection._handlers.get(event.kind, handler))
        if event.kind == "closed":
            self._ended(event)


class Consumer(_Endpoint, _Peer):
    """A connection to one provider that always comes back. `async with`
    connects and closes it; `async for` gives its messages."""

    _kind, _open = 3, staticmethod(c.consumer_open)

    def __init__(self, context: "Context", options_: Optional[ConsumerOptions] = None, **more: Any) -> None:
        _Peer.__init__(self, context._dispatcher, self._begin(context, options_ or {}, more))

    def _message(self, message: Message, peer: int) -> None:
        message.peer = self
        handler = self._handlers.get("message")
        if handler is None:
            self._receive(message)
        else:
            self._dispatcher.call(handler, message)

    def _event(self, event: Event, peer: int) -> None:
        event.peer = self
        self._heard(event, self._handlers.get(event.kind))
        if event.kind == "closed":
            self._ended(event)


class Context(_Live):
    """Belongs to the running event loop, which turns it: handlers run on the
    loop's thread. `async with` closes everything of it and waits."""

    def __init__(self, options_: Optional[ContextOptions] = None, **more: Any) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("a Context belongs to an event loop: make it inside a coroutine (asyncio.run)") from None
        self._keep: Set[_Live] = set()
        dispatcher = Dispatcher(loop, options_ or {}, more)
        super().__init__(dispatcher, dispatcher.handle)
        dispatcher.objects[0] = weakref.ref(self)
        self._closed = dispatcher.closed

    def provider(self, options_: Optional[ProviderOptions] = None, **more: Any) -> Provider:
        """Opens a provider; options by their keys, nested where they have dots."""
        return Provider(self, options_, **more)

    def consumer(self, options_: Optional[ConsumerOptions] = None, **more: Any) -> Consumer:
        """Opens a consumer; options by their keys, nested where they have dots."""
        return Consumer(self, options_, **more)

    def update(self, changes: Mapping[str, Any], timeout: Optional[float] = None) -> Operation[None]:
        """Changes live options, all or none."""
        return _update(self, 1, changes, timeout)

    def close(self, code: int = 0, reason: str = "", abort: bool = False) -> None:
        self._dispatcher.close(code, reason, abort)

    def _event(self, event: Event, peer: int) -> None:
        handler = self._handlers.get(event.kind)
        if event.kind == "closed":
            self.end = event.detached()
        if handler is not None:
            self._dispatcher.call(handler, event)

    def __del__(self) -> None:
        dispatcher = getattr(self, "_dispatcher", None)
        if dispatcher is not None and not dispatcher.closing:
            dispatcher.abandon()
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self)


def _update(
    target: Union[_Endpoint, Context], kind: int, changes: Mapping[str, Any], timeout: Optional[float]
) -> Operation[None]:
    conf = options(kind, changes, {})
    try:
        return target._operate(lambda op, e: c.update(target._handle, conf, op, e), _nothing, timeout)
    finally:
        c.conf_unref(conf)


def _owned(m: ctypes.c_void_p) -> bytes:
    try:
        return c.message_bytes(m.value)
    finally:
        c.msg_unref(m)


def _nothing(event: Event) -> None:
    return None


def _code(event: Event) -> int:
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
