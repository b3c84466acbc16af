"""The one file that names C symbols: finds the shared library, declares its
functions and mirrors its two frozen structs (a test compares them with the
headers). Used by the other files of this package only. Any thread.

Functions that wait or do I/O are called with the interpreter's lock released
(`_waits`); the others only touch memory and keep it, which is faster."""

from __future__ import annotations

import ctypes
import os
import struct
from ctypes import POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Optional

SONAME = "libmeshwork.so.1"
OLDEST = (0, 1)


class ErrorDetail(ctypes.Structure):
    """mw_error."""

    _fields_ = [
        ("code", c_int32),
        ("flags", c_uint32),
        ("os", c_int32),
        ("text_len", c_uint32),
        ("text", ctypes.c_char * 240),
    ]


class Record(ctypes.Structure):
    """mw_event. RECORD reads the same bytes many at a time."""

    _fields_ = [
        ("kind", c_uint32),
        ("status", c_int32),
        ("token", c_uint64),
        ("id", c_uint64),
        ("peer", c_uint64),
        ("flags", c_uint32),
        ("code", c_int32),
        ("offset", c_uint32),
        ("topic_len", c_uint32),
        ("meta_len", c_uint32),
        ("body_len", c_uint32),
        ("msg", c_uint64),
    ]


RECORD = struct.Struct("=IiQQQIiIIIIQ")


def _find() -> str:
    told = os.environ.get("MESHWORK_LIBRARY")
    if told:
        return told
    bundled = os.path.join(os.path.dirname(os.path.abspath(__file__)), SONAME)
    return bundled if os.path.exists(bundled) else SONAME


def _load() -> str:
    path = _find()
    try:
        ctypes.CDLL(path)
    except OSError as e:
        raise ImportError(
            f"meshwork needs the shared library {SONAME}, which could not be loaded: {e}. Install it "
            "(`make install` in the meshwork sources, then `ldconfig`), or set the environment variable "
            "MESHWORK_LIBRARY to the path of the file."
        ) from e
    return path


PATH = _load()
_waiting, _quick = ctypes.CDLL(PATH), ctypes.PyDLL(PATH)


def _declare(lib: ctypes.CDLL, name: str, result: Any, *arguments: Any) -> Any:
    try:
        function = getattr(lib, name)
    except AttributeError:
        raise ImportError(f"{PATH} has no function {name}: it is older than this package needs; update it") from None
    function.restype, function.argtypes = result, list(arguments)
    return function


def _fast(name: str, result: Any, *arguments: Any) -> Any:
    return _declare(_quick, name, result, *arguments)


def _waits(name: str, result: Any, *arguments: Any) -> Any:
    return _declare(_waiting, name, result, *arguments)


_status, _handle, _text, _error = c_int32, c_uint64, c_char_p, POINTER(ErrorDetail)
# A pointer result stays a number, None when NULL.
_conf, _msg, _sizep = c_void_p, c_void_p, POINTER(c_size_t)

version = _fast("mw_version", c_uint32)
status_name = _fast("mw_status_name", c_char_p, _status)
status_text = _fast("mw_status_text", c_char_p, _status)
status_flags = _fast("mw_status_flags", c_uint32, _status)

conf_new = _fast("mw_conf_new", _conf, c_int32)
conf_ref = _fast("mw_conf_ref", _conf, _conf)
conf_unref = _fast("mw_conf_unref", None, _conf)
conf_set = _fast("mw_conf_set", _status, _conf, _text, c_size_t, _text, c_size_t, _error)
conf_load = _fast("mw_conf_load", _status, _conf, _text, c_size_t, _error)
conf_get = _fast("mw_conf_get", _status, _conf, _text, c_size_t, c_char_p, c_size_t, _sizep)
conf_describe = _fast("mw_conf_describe", _status, c_int32, c_size_t, POINTER(_msg))

msg_new = _fast("mw_msg_new", _msg, c_char_p, c_size_t, c_uint32)
msg_wrap = _fast("mw_msg_wrap", _msg, _handle, c_void_p, c_size_t, c_void_p, c_void_p, c_uint32)
msg_ref = _fast("mw_msg_ref", _msg, _msg)
msg_unref = _fast("mw_msg_unref", None, _msg)
msg_keep = _fast("mw_msg_keep", _msg, POINTER(Record), c_void_p)
msg_set = _fast("mw_msg_set", _status, _msg, _text, c_size_t, c_char_p, c_size_t)
msg_get = _fast("mw_msg_get", c_void_p, _msg, _text, c_size_t, _sizep)
msg_topic = _fast("mw_msg_topic", c_void_p, _msg, _sizep)
msg_body = _fast("mw_msg_body", c_void_p, _msg, _sizep)
msg_meta = _fast("mw_msg_meta", c_void_p, _msg, _sizep)
msg_flags = _fast("mw_msg_flags", c_uint32, _msg)

ctx_open = _waits("mw_ctx_open", _status, _conf, POINTER(_handle), _error)
ctx_run = _waits("mw_ctx_run", _status, _handle, c_int64, _error)
ctx_fd = _fast("mw_ctx_fd", _status, _handle, POINTER(c_int))
ctx_waker = _waits("mw_ctx_waker", _status, _handle, c_void_p, c_void_p)
ctx_wait = _waits("mw_ctx_wait", _status, _handle, c_int64)
ctx_wake = _fast("mw_ctx_wake", _status, _handle)
ctx_dispatch = _waits("mw_ctx_dispatch", _status, _handle, c_size_t, _sizep)
ctx_take = _waits("mw_ctx_take", _status, _handle, c_void_p, c_size_t, c_size_t, c_void_p, c_size_t, _sizep)
ctx_join = _waits("mw_ctx_join", _status, _handle, c_int64)
cancel = _fast("mw_cancel", _status, _handle, c_uint64)

on = _fast("mw_on", _status, _handle, c_void_p, c_void_p, c_void_p)
start = _waits("mw_start", _status, _handle, c_uint64, _error)
update = _waits("mw_update", _status, _handle, _conf, c_uint64, _error)
token = _fast("mw_token", _status, _handle, c_uint64)
pause = _fast("mw_pause", _status, _handle, c_int)
drain = _fast("mw_drain", _status, _handle, c_int64, c_uint64, _error)
close = _fast("mw_close", _status, _handle, c_int32, _text, c_size_t, c_uint32)
state = _fast("mw_state", _status, _handle)
stat = _fast("mw_stat", _status, _handle, c_int32, POINTER(c_int64))
info = _fast("mw_info", _status, _handle, _text, c_size_t, POINTER(_msg), c_uint64, _error)
answer = _fast("mw_answer", _status, _handle, c_int, _text, c_size_t, _error)

provider_open = _waits("mw_provider_open", _status, _handle, _conf, c_uint64, POINTER(_handle), _error)
consumer_open = _waits("mw_consumer_open", _status, _handle, _conf, c_uint64, POINTER(_handle), _error)
channel_open = _waits("mw_channel_open", _status, _handle, _conf, c_uint64, POINTER(_handle), _error)
hub_open = _waits("mw_hub_open", _status, _handle, _conf, c_uint64, POINTER(_handle), _error)
share_open = _waits("mw_share_open", _status, _handle, _conf, c_uint64, POINTER(_handle), _error)
node_open = _waits("mw_node_open", _status, _handle, _conf, c_uint64, POINTER(_handle), _error)
manager_open = _waits("mw_manager_open", _status, _handle, _conf, c_uint64, POINTER(_handle), _error)
elect = _waits("mw_elect", _status, _handle, _text, c_size_t, _conf, c_uint64, POINTER(_handle), _error)
send = _fast("mw_send", _status, _handle, _msg, c_uint32, c_uint64)
send_bytes = _fast("mw_send_bytes", _status, _handle, c_char_p, c_size_t, c_uint32)
send_records = _fast("mw_send_records", _status, _handle, c_void_p, c_size_t, c_size_t, c_char_p)
publish = _fast("mw_publish", _status, _handle, _text, c_size_t, _msg, _handle, c_uint32, c_uint64)
subscribe = _fast(
    "mw_subscribe", _status, _handle, _text, c_size_t, _conf, c_uint64, c_uint64, POINTER(_handle), _error
)
unsubscribe = _fast("mw_unsubscribe", _status, _handle, _text, c_size_t, c_uint64)
subscribed = _fast("mw_subscribed", _status, _handle, _text, c_size_t)
cork = _fast("mw_cork", _status, _handle, c_int)

serve = _fast("mw_serve", _status, _handle, _text, c_size_t, _conf, c_uint64, POINTER(_handle), _error)
call = _fast(
    "mw_call", _status, _handle, _text, c_size_t, _msg, _conf, c_int64, _handle, c_uint32, c_uint64, _error
)
reply = _fast("mw_reply", _status, _handle, _msg, c_uint32, c_uint64)
fail = _fast("mw_fail", _status, _handle, _status, _text, c_size_t, c_uint32)

if not OLDEST <= (version() >> 16, version() >> 8 & 255) < (OLDEST[0] + 1, 0):
    raise ImportError(f"{PATH} has version {version() >> 16}.{version() >> 8 & 255}, this package needs {OLDEST}")


def message_bytes(m: Optional[int]) -> bytes:
    """The body of a message, copied."""
    size = c_size_t()
    at = msg_body(m, ctypes.byref(size))
    return ctypes.string_at(at, size.value) if at else b""
