"""The nouns: Context, Provider, Consumer, Connection and Subscription; _host has those
of one host, _mesh the node of a mesh. Each belongs to the event loop it was made on; only send() may be called from other threads."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import warnings
import weakref
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Set, Union

from . import _boundary as c
from ._boundary import send_bytes
from ._dispatch import Dispatcher, Operation, options
from ._errors import Error, byref, check
from ._event import TEXT, Event, Message, Request, Sendable
from ._event import message as _message
from ._host import Channel, Election, Hub, Share
from ._live import Caller, Crowd, Live, Publisher, Reader, Subscriber, change, code, nothing
from ._mesh import Manager, Node
from ._service import Server, Service
from ._tables import (
    ChannelOptions, ConsumerOptions, ContextOptions, ElectionOptions, HubOptions, ManagerOptions, NodeOptions, ProviderOptions,
    ShareOptions, SubscriptionOptions,
)  # fmt: skip


class _Peer(Subscriber, Caller, Reader):
    """Something messages are sent to and received from."""

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
            return self._operate(lambda op, e: self._marked(c.send(self._handle, m, flags, op)), code, timeout)

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


class Subscription(Live):
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
                nothing, None,
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


class Provider(Server, Crowd, Publisher):
    """A listener that admits many consumers. `async with` starts and closes it."""

    _kind, _open = 2, staticmethod(c.provider_open)

    def __init__(self, context: "Context", options_: Optional[ProviderOptions] = None, **more: Any) -> None:
        self.connections: Dict[int, Connection] = {}
        Live.__init__(self, context._dispatcher, self._begin(context, options_ or {}, more))

    def publish(
        self, topic: str, data: Sendable, exclude: Optional[Connection] = None, flags: int = 0,
        headers: Optional[Mapping[str, Union[str, bytes]]] = None, timeout: Optional[float] = None,
    ) -> Operation[int]:  # fmt: skip
        """Sends to every connection subscribed to topic ("" : to all), encoded
        once. The result is how many were reached."""
        return self._publish(topic, data, exclude._handle if exclude is not None else 0, flags, headers, code, timeout)

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

    @property
    def _people(self) -> Dict[int, Any]:
        return self.connections

    def _met(self, peer: int, up: Event) -> Connection:
        return Connection(self, peer, up)


class Consumer(Server, _Peer):
    """A connection to one provider that always comes back. `async with`
    connects and closes it; `async for` gives its messages."""

    _kind, _open = 3, staticmethod(c.consumer_open)

    def __init__(self, context: "Context", options_: Optional[ConsumerOptions] = None, **more: Any) -> None:
        _Peer.__init__(self, context._dispatcher, self._begin(context, options_ or {}, more))

    def _message(self, message: Message, peer: int) -> None:
        message.peer = self
        super()._message(message, peer)

    def _event(self, event: Event, peer: int) -> None:
        event.peer = self
        super()._event(event, peer)


class Context(Live):
    """Belongs to the running event loop, which turns it: handlers run on the
    loop's thread. `async with` closes everything of it and waits."""

    def __init__(self, options_: Optional[ContextOptions] = None, **more: Any) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("a Context belongs to an event loop: make it inside a coroutine (asyncio.run)") from None
        self._keep: Set[Live] = set()
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

    def channel(self, options_: Optional[ChannelOptions] = None, **more: Any) -> Channel:
        """Opens a member of a channel of this host: name="A"."""
        return Channel(self, options_, **more)

    def hub(self, options_: Optional[HubOptions] = None, **more: Any) -> Hub:
        """Opens a standing hub of this host: channels={"A": {}}."""
        return Hub(self, options_, **more)

    def share(self, options_: Optional[ShareOptions] = None, **more: Any) -> Share:
        """Opens a share of this host: name="S"."""
        return Share(self, options_, **more)

    def election(self, name: str, options_: Optional[ElectionOptions] = None, **more: Any) -> Election:
        """Opens an election of this host."""
        return Election(self, name, options_, **more)

    def node(self, options_: Optional[NodeOptions] = None, **more: Any) -> Node:
        """Opens a member of a mesh: cluster={"deployment": "D"}."""
        return Node(self, options_, **more)

    def manager(self, options_: Optional[ManagerOptions] = None, **more: Any) -> Manager:
        """Opens a manager of a mesh: cluster={"deployment": "D"}."""
        return Manager(self, options_, **more)

    def update(self, changes: Mapping[str, Any], timeout: Optional[float] = None) -> Operation[None]:
        """Changes live options, all or none."""
        return change(self, 1, changes, timeout)

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
