"""Who writes: this process as a row, and whether a recorded process still lives. Knows no table.

A run belongs to a process. A process is named by host, boot, pid and the moment it started, so that a reused pid or a
restarted machine is not taken for it.
"""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path

UNKNOWN = 0  # pid_started where the system does not tell


@dataclass(frozen=True, slots=True)
class Process:
    """A process as the store knows it. `ended`: it said goodbye."""

    host: str
    boot_id: str
    pid: int
    pid_started: int
    ended: bool = False


def this_process() -> Process:
    """The running process."""
    pid = os.getpid()
    return Process(_host(), _boot_id(), pid, _started(pid) or UNKNOWN)


def is_dead(process: Process) -> bool:
    """Whether a process is surely gone. A process on another host is never known to be gone."""
    if process.ended:
        return True
    if process.host != _host():
        return False
    if process.boot_id and _boot_id() and process.boot_id != _boot_id():
        return True
    if not _exists(process.pid):
        return True
    started = _started(process.pid)
    return process.pid_started != UNKNOWN and started is not None and started != process.pid_started


@lru_cache(maxsize=1)
def version() -> str:
    """The version of chainlab that writes."""
    try:
        return metadata.version("chainlab")
    except metadata.PackageNotFoundError:
        return "unknown"


@lru_cache(maxsize=1)
def _host() -> str:
    return socket.gethostname()


@lru_cache(maxsize=1)
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _started(pid: int) -> int | None:
    # Field 22 of /proc/<pid>/stat: clock ticks after boot. The name before it may hold spaces and parentheses.
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0] in (b"Z", b"X"):
        return -1  # a zombie writes nothing: a start that no recorded process has
    return int(fields[19])


def _exists(pid: int) -> bool:
    if sys.platform == "win32":  # os.kill would end the process there
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
