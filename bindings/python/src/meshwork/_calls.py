"""Calls over the library's own wire, either way: call() of a Consumer or
Connection, serve() of a Provider or Consumer, and the Request to answer."""

from __future__ import annotations

import asyncio
import collections
import ctypes
import inspect
import json
import math
from types import CoroutineType
from typing import Any, AsyncIterator, Callable, Deque, Dict, Generic, Mapping, NamedTuple, Optional, Sequence, Tuple, Type, TypeVar, Union

from . import _boundary as c
from ._dispatch import Dispatcher, Operation, options
from ._errors import Error, byref, check, detail
from ._event import Data, Event, Request, Sendable, message

Headers = Optional[Mapping[str, Union[str, bytes]]]
_ONEWAY, _ALL, _REPEAT, _PARTS, _MORE = 0x100, 0x400, 0x800, 0x1000, 0x4
_PARTIAL = -66
T = TypeVar("T")
P = TypeVar("P")
A = TypeVar("A", bound="_Asked[Any, Any]")


class _Asked(Operation[T], Generic[T, P]):
    """A call with all that comes before its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, id: int, handle: int, convert: Callable[[Event], T]) -> None:
        super().__init__(loop, id, handle, convert)
        self.headers: Dict[str, bytes] = {}  # of the answer
        self._parts: Deque[P] = collections.deque()
        self._reader: Optional[asyncio.Future[None]] = None

    def _made(self, event: Event) -> P:
        raise NotImplementedError

    def _part(self, event: Event) -> None:
        self._parts.append(self._made(event))
        self._wake()

    def _finish(self, event: Event) -> None:
        self.headers = event.headers
        if event.status < 0 and not self.done():
            self.set_exception(_failure(event))
        else:
            super()._finish(event)
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def __aiter__(self) -> AsyncIterator[P]:
        try:
            while True:
                while self._parts:
                    yield self._parts.popleft()
                if self.done():
                    self.result()
                    return
                self._reader = self.get_loop().create_future()
                await self._reader
        finally:
            self.cancel()  # nobody reads on; done: it does nothing


class Call(_Asked[Data, Data]):
    """A call that has begun. Await it for the answer; cancelling it tells the
    other side. Async iteration gives the parts of a streamed answer, and then
    ends; `await` after that gives the last answer."""

    def _made(self, event: Event) -> Data:
        return event.data

    def _outcome(self, event: Event) -> Data:
        return event.data


class Answer(NamedTuple):
    """What one member said to a call of all: its answer, or error and what
    came with it. more: another part of it follows."""

    member: str
    data: Data
    error: Optional[Error]
    more: bool
    headers: Mapping[str, bytes]


class Broadcast(_Asked[Sequence[Answer], Answer]):
    """A call of all members that has begun. Async iteration gives what each
    says, as it comes; awaiting it, all that was not iterated. Members that fail
    are among them; it raises only where nobody was asked."""

    def _made(self, event: Event) -> Answer:
        headers = event.headers
        member = headers.get("member", b"").decode("utf-8", "replace")
        error = _failure(event) if event.status < 0 else None
        return Answer(member, event.data, error, bool(event.flags & _MORE), headers)

    def _finish(self, event: Event) -> None:
        if event.status != _PARTIAL:
            return super()._finish(event)
        if not self.done():  # each failure was told
            self._settle(event)
        self._wake()

    def _outcome(self, event: Event) -> Sequence[Answer]:
        return tuple(self._parts)


def _failure(event: Event) -> Error:
    """What came instead of an answer."""
    try:
        facts = json.loads(event.text)
        error = Error(event.status, str(facts.get("message", "")))
        error.details = facts
        return error
    except (ValueError, AttributeError):
        return Error(event.status, event.text)


def call(
    kind: Type[A], dispatcher: Dispatcher, handle: int, target: str, data: Sendable, timeout: Optional[float],
    parent: Optional[Request], headers: Headers, given: Mapping[str, Any], flags: int,
) -> A:  # fmt: skip
    text, conf = target.encode(), None
    ms = 0 if timeout is None else -1 if timeout == math.inf else max(1, math.ceil(timeout * 1000))
    if given:
        conf = options(6, given, {})
    try:
        with message(data, flags, headers) as m:
            begun = dispatcher.operate(
                handle,
                lambda op, e: c.call(
                    handle, text, len(text), m, conf, ms, parent.id if parent is not None else 0, flags & (_PARTS | _ONEWAY | _ALL | _REPEAT), op, e
                ),
                lambda event: None, None, kind,
            )  # fmt: skip
    finally:
        c.conf_unref(conf)
    assert isinstance(begun, kind)
    return begun


def oneway(handle: int, target: str, data: Sendable, headers: Headers, flags: int) -> None:
    text, e = target.encode(), detail()
    with message(data, flags, headers) as m:
        check(c.call(handle, text, len(text), m, None, 0, 0, flags & (_PARTS | _REPEAT) | _ONEWAY, 0, byref(e)), e)


def serve(dispatcher: Dispatcher, handle: int, name: str, token: int, given: Mapping[str, Any]) -> int:
    text, id, e = name.encode(), ctypes.c_uint64(), detail()
    conf = options(5, given, {})
    try:
        check(c.serve(handle, text, len(text), conf, token, byref(id), byref(e)), e)
    finally:
        c.conf_unref(conf)
    return id.value


class Running:
    """The handlers of a service's requests, from their start to the answer."""

    def __init__(self, dispatcher: Dispatcher, handler: Callable[[Request], Any]) -> None:
        self._dispatcher, self._handler = dispatcher, handler
        self._tasks: Dict[int, "asyncio.Task[Any]"] = {}
        self._rooms: Dict[int, asyncio.Future[None]] = {}

    def begin(self, request: Request) -> None:
        """What the handler returns is the answer, None of a plain function one
        that comes later; what it raises is a failure; async generators stream."""
        try:
            result = self._handler(request)
        except (Exception, asyncio.CancelledError) as e:
            return _fail(request, e)
        if type(result) is CoroutineType or inspect.isasyncgen(result):
            task = self._dispatcher.loop.create_task(self._finish(request, result))
            self._tasks[request.id] = task
            task.add_done_callback(lambda _: self._tasks.pop(request.id, None))
        elif result is not None:
            _reply(request, result)

    async def _finish(self, request: Request, result: Any) -> None:
        try:
            if inspect.isasyncgen(result):
                stream: Any = result
                async for part in stream:
                    await self._send(request, part)
                answer: Any = b""
            else:
                answer = await result
            _reply(request, b"" if answer is None else answer)
        except asyncio.CancelledError:
            raise
        except Exception as e:
            _fail(request, e)

    async def _send(self, request: Request, part: Sendable) -> None:
        while True:
            room = self._rooms[request.id] = self._dispatcher.loop.create_future()
            try:
                if request.part(part):
                    return
                refused = False
            except Error as e:
                if e.name != "MW_EAGAIN":
                    raise
                refused = True
            await room
            if not refused:
                return

    def canceled(self, id: int) -> None:
        task = self._tasks.get(id)
        if task is not None:
            task.cancel()
        self.writable(id)

    def writable(self, id: int) -> None:
        room = self._rooms.pop(id, None)
        if room is not None and not room.done():
            room.set_result(None)


def _reply(request: Request, answer: Sendable) -> None:
    try:
        if request:
            request.reply(answer)
    except Error as e:
        if e.name != "MW_ECLOSED":  # answered by the handler itself, or over
            _fail(request, e)


def _fail(request: Request, e: BaseException) -> None:
    try:
        if request:
            code = e.code if isinstance(e, Error) else 0
            request.fail({"message": str(e), "name": type(e).__name__}, code)
    except Error:
        pass  # it is over already


__all__: Tuple[str, ...] = ("Answer", "Broadcast", "Call")
