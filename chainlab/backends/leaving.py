"""A clean end of the process while native code is still at work in an abandoned thread. Knows no model.

The end of a process destroys what native threads still use, and they crash (measured: 2 exits in 8 with code 139, and 6
in 40 with 134). So work is told to stop and waited for: it looks up after one batch of a prompt, which takes half a
second alone, and several seconds where four calls take turns on a busy machine. The wait ends when the work does. If it
is still there after a long one, the process ends before anything is destroyed, and mostly cleanly: a thread that comes
back to a Python that is ending brings the process down (with 2 s of patience 2 exits in 6 on a busy machine).
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_GRACE_S = 20.0

_at_work: set[threading.Event] = set()
_registered = False


@contextmanager
def native_work(abandoned: threading.Event) -> Iterator[None]:
    """Native work that stops soon after `abandoned` is set."""
    global _registered
    if not _registered:
        _registered = True
        atexit.register(_leave)
    _at_work.add(abandoned)
    try:
        yield
    finally:
        _at_work.discard(abandoned)


def _leave() -> None:
    for abandoned in tuple(_at_work):
        abandoned.set()
    until = time.monotonic() + _GRACE_S
    while _at_work and time.monotonic() < until:
        time.sleep(0.005)
    if _at_work:
        _skip_destructors()


def _skip_destructors() -> None:
    """Let the C library end the process, with its exit status, before it runs any other handler. Only glibc can."""
    import ctypes

    with suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.on_exit(ctypes.cast(libc._exit, ctypes.c_void_p), None)
