"""What the processes of one host have together: Channel, Hub, Share and
Election. Each belongs to the event loop it was made on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

from . import _boundary as c
from ._calls import Headers, Running
from ._dispatch import Dispatcher, Operation
from ._event import Event, Request, Sendable
from ._live import Caller, Crowd, Live, Opened, Publisher, Reader, Subscriber, nothing
from ._tables import ChannelOptions, Code, ElectionOptions, HubOptions, ShareOptions

if TYPE_CHECKING:
    from ._link import Context


class Member(Live):
    """A member of a channel, as the hub sees it. facts(): channel, uuid, pid."""

    def __init__(self, dispatcher: Dispatcher, handle: int, up: Optional[Event] = None) -> None:
        super().__init__(dispatcher, handle)
        self._up = up.detached() if up is not None else None

    @property
    def about(self) -> Dict[str, Any]:
        """What was known when it came: channel, uuid, pid."""
        facts: Dict[str, Any] = self._up.json() if self._up is not None else self.facts()
        return facts


class Channel(Opened, Subscriber, Reader, Publisher):
    """A member of a channel: hears what all others publish there. `async with`
    joins and leaves; `async for` gives the events it subscribed to, their
    names as topic, and whose they are in the header sender."""

    _kind, _open = 8, staticmethod(c.channel_open)

    def __init__(self, context: "Context", options_: Optional[ChannelOptions] = None, **more: Any) -> None:
        Reader.__init__(self, context._dispatcher, self._begin(context, options_ or {}, more))

    def publish(
        self, event: str, data: Sendable = b"", flags: int = 0, headers: Headers = None, timeout: Optional[float] = None
    ) -> Operation[None]:
        """To every other member; done when all have it. Kept while there is no
        hub; raises MW_EAGAIN where too much is, `await writable()` then."""
        return self._publish(event, data, 0, flags, headers, nothing, timeout)

    def _event(self, event: Event, peer: int) -> None:
        if peer:  # where this process is the hub: a member that does not read
            event.peer = Member(self._dispatcher, peer)
        super()._event(event, peer)


class Hub(Crowd):
    """A standing hub: keeps channels for the whole host. peer_up and peer_down
    tell its members; update({"channels": ...}) reloads."""

    _kind, _open = 7, staticmethod(c.hub_open)

    def __init__(self, context: "Context", options_: Optional[HubOptions] = None, **more: Any) -> None:
        self.members: Dict[int, Member] = {}
        Live.__init__(self, context._dispatcher, self._begin(context, options_ or {}, more))

    @property
    def _people(self) -> Dict[int, Any]:
        return self.members

    def _met(self, peer: int, up: Event) -> Member:
        return Member(self._dispatcher, peer, up)


class Share(Opened, Subscriber, Caller, Reader, Publisher):
    """One of the processes of a host that use something together. The event
    leader tells which one has it: code 1 this one, 0 another; id the epoch. In
    the leader, interest: code processes want the key topic, id did before.
    `async for` gives the values of keys that were subscribed to."""

    _kind, _open = 9, staticmethod(c.share_open)

    def __init__(self, context: "Context", options_: Optional[ShareOptions] = None, **more: Any) -> None:
        Reader.__init__(self, context._dispatcher, self._begin(context, options_ or {}, more))
        self.serve(lambda request: request.fail("The leader answers no calls.", Code.ENOTSUP))

    def serve(self, handler: Callable[[Request], Any]) -> None:
        """What the leader's process answers the calls of all with, as the
        handler of a service does; request.topic is the method."""
        self._running = Running(self._dispatcher, handler)

    def publish(
        self, key: str, data: Sendable = b"", flags: int = 0, headers: Headers = None, timeout: Optional[float] = None
    ) -> Operation[None]:
        """In the leader: the value of a key, to all that subscribed to it."""
        return self._publish(key, data, 0, flags, headers, nothing, timeout)

    def _event(self, event: Event, peer: int) -> None:
        if isinstance(event, Request):
            return self._running.begin(event)
        if event.kind == "cancel":
            self._running.canceled(event.id)
        elif event.kind == "writable" and event.id:
            self._running.writable(event.id)
        super()._event(event, peer)


class Election(Opened):
    """Says which process of the host leads: event leader, code 1 this one, 0
    another, -1 nobody known; id the epoch, above that of the last. `async with`
    stands and resigns."""

    _kind = 10

    def __init__(self, context: "Context", name: str, options_: Optional[ElectionOptions] = None, **more: Any) -> None:
        text = name.encode()
        self._open = lambda h, conf, token, handle, e: c.elect(h, text, len(text), conf, token, handle, e)
        Live.__init__(self, context._dispatcher, self._begin(context, options_ or {}, more))
