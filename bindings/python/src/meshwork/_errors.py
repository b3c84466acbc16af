"""Failures as exceptions. Used by everything in this package; any thread."""

from __future__ import annotations

import ctypes
from typing import Any, Optional

from . import _boundary as c

_RETRY = 1


class Error(Exception):
    """Why the library refused something, or how an operation failed.

    code is negative and never changes its meaning (see Code), name is such as
    "MW_EAGAIN", retryable says whether trying again later may succeed, os is
    the errno behind it or 0."""

    def __init__(self, code: int, text: str = "", os: int = 0) -> None:
        self.code = code
        self.name: str = c.status_name(code).decode()
        self.retryable = bool(c.status_flags(code) & _RETRY)
        self.os = os
        self.details: Any = None  # of a call that failed: the object the other side gave
        self.text: str = text or c.status_text(code).decode()
        super().__init__(f"{self.text} ({self.name})")

    def __reduce__(self) -> Any:
        return Error, (self.code, self.text, self.os)


def check(status: int, detail: Optional[c.ErrorDetail] = None) -> int:
    """The status, or an Error where it says no."""
    if status >= 0:
        return status
    if detail is None or detail.code == 0:
        raise Error(status)
    raise Error(status, detail.text[: detail.text_len].decode("utf-8", "replace"), detail.os)


def detail() -> Any:
    """Room for the library to say more, passed by reference."""
    return c.ErrorDetail()


byref = ctypes.byref
