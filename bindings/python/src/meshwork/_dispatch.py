"""The dispatcher: one take a batch, token -> object, op id -> future. Belongs
to one event loop and runs on its thread. The loop holds it, it holds the
user's objects weakly, so a context nobody refers to can be collected."""

from __future__ import annotations

import asyncio
import ctypes
import json
import select
import time
import weakref
from types import CoroutineType
from typing import Any, Callable, Coroutine, Dict, Iterator, Mapping, Optional, Set, Tuple, Type, TypeVar

from . import _boundary as c
from ._errors import Error, byref, check, detail
from ._event import ASK, DONE, KINDS, MESSAGE, PART, REF, REQUEST, TEXT, Ask, Event, Message, Request

T = TypeVar("T")
_RECORDS, _SLAB = 1024, 256 * 1024
_MORE, _END, _FORK = 3, -10, -8
_ABORT = 1


def options(kind: int, given: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
    """A conf of this kind. The library knows the keys, not we."""
    conf = c.conf_new(kind)
    text = json.dumps({**given, **more}).encode()
    e = detail()
    try:
        check(c.conf_load(conf, text, len(text), byref(e)), e)
    except Error:
        c.conf_unref(conf)
        raise
    return conf


class Operation(asyncio.Future[T]):
    """An operation that has begun. Await it for its result; cancelling it (or
    the task that awaits it) asks the library to give it up."""

    def __init__(self, loop: asyncio.AbstractEventLoop, id: int, handle: int, convert: Callable[[Event], T]) -> None:
        super().__init__(loop=loop)
        self.id, self._handle, self._convert = id, handle, convert
        self._timer: Optional[asyncio.TimerHandle] = None

    def cancel(self, *args: Any, **kw: Any) -> bool:
        """Asks for the end; the awaiter gets CancelledError at once."""
        if not super().cancel(*args, **kw):
            return False
        self._leave()
        return True

    def _limit(self, seconds: Optional[float]) -> "Operation[T]":
        if seconds is not None and not self.done():
            self._timer = self.get_loop().call_later(seconds, self._expire)
        return self

    def _expire(self) -> None:
        if not self.done():
            self.set_exception(asyncio.TimeoutError())
            self._leave()

    def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        c.cancel(self._handle, self.id)

    def _part(self, event: Event) -> None:
        """Part of a streamed answer."""

    def _finish(self, event: Event) -> None:
        if self.done():
            return  # cancelled or too late: nobody waits
        if event.status >= 0:
            return self._settle(event)
        if self._timer is not None:
            self._timer.cancel()
        self.set_exception(Error(event.status, event.text))

    def _settle(self, event: Event) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.set_result(self._outcome(event))

    def _outcome(self, event: Event) -> T:
        return self._convert(event)


class Dispatcher:
    """Hides the record door."""

    def __init__(self, loop: asyncio.AbstractEventLoop, given: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        self.loop, self.closing = loop, False  # closing: nothing to warn of
        self.objects: Dict[int, "weakref.ref[Any]"] = {}
        self.operations: Dict[int, Operation[Any]] = {}
        self.tasks: Set["asyncio.Task[Any]"] = set()
        self.closed: asyncio.Future[None] = loop.create_future()
        self._last_token = self._last_op = 0
        self._records, self._slab = bytearray(64 * _RECORDS), bytearray(_SLAB)
        self._ev = ctypes.addressof(ctypes.c_char.from_buffer(self._records))
        self._at = ctypes.addressof(ctypes.c_char.from_buffer(self._slab))
        self._view, self._room, self._count = memoryview(self._records), memoryview(self._slab), ctypes.c_size_t()
        self._batch: Iterator[Tuple[int, ...]] = iter(())
        self._bytes = b""
        handle, fd, e = ctypes.c_uint64(), ctypes.c_int(), detail()
        conf = options(1, {"threads": 0, **given}, more)
        try:
            check(c.ctx_open(conf, byref(handle), byref(e)), e)
        finally:
            c.conf_unref(conf)
        self.handle = handle.value
        try:
            check(c.ctx_fd(self.handle, byref(fd)))  # refuses delivery=inline
        except Error:
            c.close(self.handle, 0, None, 0, _ABORT)
            raise
        self.fd = fd.value
        loop.add_reader(self.fd, self.turn)

    def name(self, target: Any) -> int:
        """A token for a new object."""
        self._last_token += 1
        self.objects[self._last_token] = weakref.ref(target)
        return self._last_token

    def operate(
        self, handle: int, verb: Callable[[int, Any], int], convert: Callable[[Event], T],
        timeout: Optional[float] = None, kind: "Optional[Type[Operation[T]]]" = None,
    ) -> Operation[T]:  # fmt: skip
        """Begins verb(op, error); raises at once where it is refused."""
        self._last_op += 1
        operation = (kind or Operation)(self.loop, self._last_op, handle, convert)
        self.operations[operation.id] = operation
        e = detail()
        status = verb(operation.id, byref(e))
        if status < 0:
            del self.operations[operation.id]
            check(status, e)
        return operation._limit(timeout)

    # -- events
    def turn(self) -> None:
        """What is there now. A second take sends what handlers wrote."""
        self._deliver_batch()
        for _ in range(2):
            if not self._slab or not self._take():
                return
            self._deliver_batch()

    def _take(self) -> bool:
        status: int = c.ctx_take(self.handle, self._ev, 64, _RECORDS, self._at, _SLAB, byref(self._count))
        if status < 0:
            if status in (_END, _FORK):
                self._finish(unwatch=status != _FORK)
                return False
            self.report(f"taking events failed: {Error(status)}", Error(status))
            return False
        n = self._count.value
        if n == 0:
            return False
        batch = list(c.RECORD.iter_unpack(self._view[: 64 * n]))
        # One copy of what the batch used of the slab; its offsets grow.
        used = 0
        for r in reversed(batch):
            used = r[7] + r[8] + r[9] + (0 if r[5] & REF else r[10])
            if used:
                break
        self._bytes = bytes(self._room[:used])
        self._batch = iter(batch)
        return True

    def _deliver_batch(self) -> None:
        # What KeyboardInterrupt or SystemExit leaves is delivered next turn.
        for record in self._batch:
            try:
                self._deliver(record)
            except Exception as e:
                self.report("a record could not be delivered", e)
            except BaseException:
                self.loop.call_soon(self.turn)
                raise

    def _deliver(self, record: Tuple[int, ...]) -> None:
        number, status, token, id, peer, flags, code, at, topic_len, meta_len, body_len, msg = record
        topic, meta = "", b""
        if topic_len:
            topic = self._bytes[at : at + topic_len].decode("utf-8", "replace")
            at += topic_len
        if meta_len:
            meta = self._bytes[at : at + meta_len]
            at += meta_len
        if flags & REF:
            body = c.message_bytes(msg)
            c.msg_unref(msg)
            flags &= ~REF
        else:
            body = self._bytes[at : at + body_len]
        known = self.objects.get(token)
        target = known() if known is not None else None
        if number == MESSAGE:  # the hot path
            if target is not None:
                data = body.decode() if flags & TEXT else body
                target._message(Message("message", target, None, status, code, id, flags, topic, data, meta), peer)
            return
        event = (Ask if number == ASK else Request if number == REQUEST else Event)(
            KINDS.get(number, "other"), target, None, status, code, id, flags, topic,
            body.decode() if flags & TEXT else body, meta,
        )  # fmt: skip
        if number == PART:
            operation = self.operations.get(id)
            if operation is not None:
                operation._part(event)
        if number == DONE:
            operation = self.operations.pop(id, None)
            if operation is not None:
                operation._finish(event)
        if target is not None:
            target._event(event, peer)
        if number == 4:
            self.objects.pop(token, None)
            if token == 0:
                self._finish()

    def call(self, handler: Callable[[Event], Any], event: Event) -> None:
        """A handler's failure goes to the loop's exception handler."""
        try:
            result = handler(event)
            if type(result) is CoroutineType:
                self.spawn(result)
        except (Exception, asyncio.CancelledError) as e:
            self.report(f"handler of {event!r} failed", e)

    def spawn(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        task = self.loop.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.report(f"handler {task.get_name()} failed", task.exception())

    def report(self, message: str, exception: Optional[BaseException]) -> None:
        self.loop.call_exception_handler({"message": f"meshwork: {message}", "exception": exception})

    # -- the end
    def _finish(self, unwatch: bool = True) -> None:
        """After CLOSED of the context, or in a forked child, where the
        descriptors are gone and the parent's poller must not be touched."""
        self.closing = True
        if unwatch and not self.loop.is_closed():
            self.loop.remove_reader(self.fd)
        if unwatch:
            c.ctx_join(self.handle, 1000)
        # A closed context may wait long for the collector; its buffers do not.
        self._view = self._room = memoryview(b"")
        self._records = self._slab = bytearray()
        if not self.closed.done() and not self.loop.is_closed():
            self.closed.set_result(None)

    def close(self, code: int = 0, reason: str = "", flags: int = 0) -> None:
        self.closing = True
        text = reason.encode()
        status = c.close(self.handle, code, text, len(text), flags)
        if c.state(self.handle) == _FORK:
            return self._finish(unwatch=False)
        if status != -4:
            check(status)

    def abandon(self) -> None:
        """Nobody refers to the context any more: it is cut off. The loop goes
        on turning it to its end; where the loop is gone, this does, briefly."""
        c.close(self.handle, 0, None, 0, _ABORT)
        self.closing = True
        if not self.loop.is_closed() or c.state(self.handle) == _FORK:
            return
        until, poller = time.monotonic() + 1, select.poll()
        poller.register(self.fd, select.POLLIN)
        while time.monotonic() < until:
            poller.poll(100)
            if c.ctx_take(self.handle, self._ev, 64, _RECORDS, self._at, _SLAB, byref(self._count)) < 0:
                break
        c.ctx_join(self.handle, 100)
