"""A mesh: its member, Node, and its Manager. Each belongs to the event loop it was made on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Type, Union

from . import _boundary as c
from ._calls import A, Broadcast, Call, Headers, call
from ._dispatch import Operation
from ._event import Flags, Request, Sendable
from ._live import Caller, Live, Opened, Publisher, Reader, Subscriber, code
from ._service import Server
from ._tables import CallOptions, ManagerOptions, NodeOptions

if TYPE_CHECKING:
    from ._link import Context


class _Knowing(Opened):
    """What tells whom there is."""

    def members(self, timeout: Optional[float] = None) -> Operation[List[Dict[str, Any]]]:
        """Who is there, of a node this one too: name, service, services, self, linked, state, since_ms, reason ..."""
        return self._gather(b"members", timeout)

    def _gather(self, key: bytes, timeout: Optional[float]) -> Operation[Any]:
        return self._operate(lambda op, e: c.info(self._handle, key, len(key), None, op, e), lambda ev: ev.json(), timeout)


class Manager(_Knowing):
    """Where nodes report (registry="manager"), and which tells them whom there
    is. `async with` listens and closes."""

    _kind, _open = 12, staticmethod(c.manager_open)

    def __init__(self, context: "Context", options_: Optional[ManagerOptions] = None, **more: Any) -> None:
        Live.__init__(self, context._dispatcher, self._begin(context, options_ or {}, more))


class Node(_Knowing, Server, Subscriber, Caller, Reader, Publisher):
    """A member of a mesh: finds the others, serves, calls and publishes.
    `async with` joins and leaves; `async for` gives the events it subscribed
    to, whose they are in the header member. Where 16 MiB of them wait to be
    read it raises MW_EOVERFLOW and goes on with those that come: the links of a
    node also say who is alive, so they are not paused."""

    _kind, _open, _patient = 11, staticmethod(c.node_open), False

    def __init__(self, context: "Context", options_: Optional[NodeOptions] = None, **more: Any) -> None:
        Reader.__init__(self, context._dispatcher, self._begin(context, options_ or {}, more))

    def stats(self, timeout: Optional[float] = None) -> Operation[Dict[str, Any]]:
        """Who calls whom, with failures and times (calls, serves); queues; who is gone, and why."""
        return self._gather(b"stats", timeout)

    def call(
        self, target: str, data: Sendable = b"", timeout: Optional[float] = None, parent: Optional[Request] = None,
        headers: Headers = None, credit: Union[int, str, None] = None, flags: int = 0, options_: Optional[CallOptions] = None,
        **more: Any,
    ) -> Call:  # fmt: skip
        """Calls a member that serves it. Options by their keys: version, only,
        exclude, sticky, retry={"safe": True}."""
        return self._ask(Call, target, data, timeout, parent, headers, credit, flags, options_, more)

    def broadcast(
        self, target: str, data: Sendable = b"", timeout: Optional[float] = None, parent: Optional[Request] = None,
        headers: Headers = None, flags: int = 0, options_: Optional[CallOptions] = None, **more: Any,
    ) -> Broadcast:  # fmt: skip
        """Calls every member that serves it: `async for` gives what each says,
        `await` all of it. Options as of call()."""
        return self._ask(Broadcast, target, data, timeout, parent, headers, None, flags | Flags.ALL, options_, more)

    def _ask(
        self, kind: Type[A], target: str, data: Sendable, timeout: Optional[float], parent: Optional[Request], headers: Headers,
        credit: Union[int, str, None], flags: int, options_: Optional[CallOptions], more: Dict[str, Any],
    ) -> A:  # fmt: skip
        given = {**(options_ or {}), **more, **({} if credit is None else {"credit": credit})}
        return call(kind, self._dispatcher, self._handle, target, data, timeout, parent, headers, given, flags)

    def publish(
        self, topic: str, data: Sendable = b"", flags: int = 0, headers: Headers = None, timeout: Optional[float] = None
    ) -> Operation[int]:
        """To every member that subscribed, this one too; Flags.LOCAL: this one
        only. The result is how many others want it."""
        return self._publish(topic, data, 0, flags, headers, code, timeout)

    def _whom(self, peer: int) -> Any:
        return None  # the header caller says who
