"""What the child process takes from itself before it sees a template. Runs in the child only; knows no template.

The Jinja sandbox is the first wall: a template cannot reach Python. Should one ever, it finds a process that cannot
open a file or a connection, start a process, or signal one. That is a second wall against Python, not one against
machine code: nothing here filters system calls.
"""

from __future__ import annotations

import math
import mmap
import signal
import sys
from typing import Any

from chainlab.sandbox.limits import Limits

LIFE_S = 600  # processor seconds of a child; it is replaced long before
_STREAMS = 3  # file descriptors: input, output, errors
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
# Of Python's audit events: what compiling a template, running it, telling the line of its error, and `has_room` take.
_ALLOWED = frozenset(
    {"builtins.id", "code.__new__", "compile", "exec", "mmap.__new__", "object.__getattr__", "sys._getframe"}
)


def lock(limits: Limits) -> tuple[str, ...]:
    """Give up, for good, what rendering does not need. The names of what cannot be given up on this platform."""
    missing = (*_of_linux(), *_of_posix(limits))
    sys.addaudithook(_refuse)
    return missing


def start_clock(cpu_s: float) -> None:
    """End this process after so many more processor seconds (0: never)."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, cpu_s)


def has_room(size: int) -> bool:
    """Whether this process may still take so many bytes. Tried out: the peak that is reported may be the parent's."""
    if sys.platform == "win32":
        return True
    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError:
        return False
    return True


def _of_posix(limits: Limits) -> list[str]:
    if sys.platform == "win32":
        return ["cpu", "memory", "files", "processes"]
    import resource

    wanted = {
        "memory": (resource.RLIMIT_AS, limits.memory),
        "files": (resource.RLIMIT_NOFILE, _STREAMS),
        "writing": (resource.RLIMIT_FSIZE, 0),
        "processes": (resource.RLIMIT_NPROC, 0),
        "core": (resource.RLIMIT_CORE, 0),
        "cpu": (resource.RLIMIT_CPU, LIFE_S + math.ceil(limits.cpu_s)),
    }
    missing = []
    for name, (kind, most) in wanted.items():
        try:
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):  # macOS has no limit of memory
            missing.append(name)
    return missing


def _of_linux() -> list[str]:
    if sys.platform != "linux":
        return ["privileges", "parent"]
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    asked = {"privileges": (_PR_SET_NO_NEW_PRIVS, 1), "parent": (_PR_SET_PDEATHSIG, int(signal.SIGKILL))}
    return [name for name, (option, value) in asked.items() if prctl(option, value, 0, 0, 0) != 0]


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event not in _ALLOWED:
        raise PermissionError(f"a template may not do this: {event}")
