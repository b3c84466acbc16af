"""What is served under a name: Service, and serve() of those that can. For the nouns of _link and _mesh."""

from __future__ import annotations

from typing import Any, Callable, Mapping, Optional

from . import _boundary as c
from ._calls import Running, serve
from ._dispatch import Operation
from ._errors import Error
from ._event import Event, Request
from ._live import Live, Opened, nothing
from ._tables import ServiceOptions


class Service(Live):
    """What a provider, consumer or node serves under one name. Handlers: "cancel"
    (a request is over), "writable", "dropped" (its queue gave a call up: status
    MW_EDEAD; or lost code oneway ones as it closed: MW_ECLOSED), "closed"."""

    def __init__(
        self, owner: "Server", name: str, handler: Callable[[Request], Any], given: Mapping[str, Any]
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
        return self._operate(lambda op, e: c.drain(self._handle, int(seconds * 1000), op, e), nothing, timeout)

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


class Server(Opened):
    """What serves: a Provider, a Consumer or a Node."""

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
