"""One child process: started when it is needed, asked, ended, started again. Knows its limits, not what it is asked.

Used by one thread at a time; stopped from any. A child that did not answer as it should is never asked again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Event, Lock, Timer
from typing import Literal, TypeAlias, TypeVar

from chainlab.errors import SandboxError
from chainlab.sandbox.limits import Limits, TemplateLimit
from chainlab.sandbox.wire import Garbage, decode, receive, send
from chainlab.values.codec import Json

Why: TypeAlias = Literal["start", "time", "given up", "closed"]
"""Why a child was stopped: it took too long to start or to answer, nobody waits for it, the sandbox is closed."""

T = TypeVar("T")

PROGRAM = Path(__file__).with_name("child.py")
_START_S = 20.0  # on a busy machine; 0.1 s on an idle one
_END_S = 1.0  # between the end of a child's output and its own
_NEEDED = ("SYSTEMROOT", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # to start Python at all
_OUT_OF_CPU = {-number for name in ("SIGPROF", "SIGXCPU") if (number := getattr(signal, name, None)) is not None}


class Child:
    """A child process, or the place for one."""

    def __init__(self, limits: Limits) -> None:
        self.missing: tuple[str, ...] = ()
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = Lock()
        self._asker: Event | None = None
        self._why: Why | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process id; None while there is no process."""
        process = self._process
        return process.pid if process is not None else None

    def ask(self, asker: Event, body: bytes, read: Callable[[str, Json], T]) -> T:
        """What `read` makes of the child's answer, a tag and a thing; it raises Garbage when they are none. Blocks.

        Raises TemplateLimit when the child ran out of time or processor time, and SandboxError when it cannot be
        started, is stopped (before, when `asker` is set), or ends or answers as no child should.
        """
        worn = False
        with self._lock:
            self._asker = asker
            self._why = "closed" if self._closed else "given up" if asker.is_set() else None
        try:
            if self._why is not None:
                raise closed()
            process = self._start(asker)
            tag, content, worn = self._exchange(process, body, asker, self._limits.time_s, "time")
            return read(tag, content)
        except (OSError, EOFError, RecursionError, Garbage) as error:
            raise self._failed(error) from None
        finally:
            with self._lock:
                self._asker = None
            if worn or self._why is not None:
                self.end()

    def stop(self, asker: Event, why: Why) -> None:
        """Kill the child if it works for this asker; `ask` then fails with the reason."""
        with self._lock:
            if self._asker is asker:
                self._stop(why)

    def close(self) -> None:
        """Kill the child whoever it works for, and let nobody ask any more. What is left of it is for `end`."""
        with self._lock:
            self._closed = True
            self._stop("closed")

    def _stop(self, why: Why) -> None:
        self._why = self._why or why
        if self._process is not None:
            self._process.kill()

    def end(self) -> None:
        """End the process, if there is one, and leave nothing of it. Not while somebody asks."""
        with self._lock:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            with suppress(OSError):  # what was not written yet
                if stream is not None:
                    stream.close()
        process.wait()

    def _start(self, asker: Event) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self.end()  # something else ended it while it had nothing to do
        if self._process is not None:
            return self._process
        process = _spawn(self._limits)
        with self._lock:
            self._process = process
            if self._why is not None:
                process.kill()
        tag, missing, _ = self._exchange(process, None, asker, _START_S, "start")
        if tag != "ready" or type(missing) is not list:
            raise Garbage("it does not say that it is ready")
        self.missing = tuple(map(str, missing))
        return process

    def _exchange(
        self, process: subprocess.Popen[bytes], body: bytes | None, asker: Event, most_s: float, why: Why
    ) -> tuple[str, Json, bool]:
        assert process.stdin is not None and process.stdout is not None
        timer = Timer(most_s, self.stop, (asker, why))
        timer.daemon = True
        timer.start()
        try:
            if body is not None:
                send(process.stdin, body)
            frame = receive(process.stdout, self._limits.output)
        finally:
            timer.cancel()
        if frame is None:
            raise EOFError
        match decode(frame):
            case [str(tag), content, bool(last)]:
                return tag, content, last
        raise Garbage("it is no answer")

    def _failed(self, error: Exception) -> Exception:
        """What went wrong; the child is gone then."""
        process, garbage = self._process, isinstance(error, (Garbage, RecursionError))
        if process is not None and not garbage:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_S)
        self.end()
        match self._why:
            case "time":
                return TemplateLimit("time", self._limits)
            case "start":
                return _broken(f"did not start within {_START_S:g} s")
            case "closed" | "given up":
                return closed()
        if process is None:
            return _broken(f"cannot be started: {error}")
        if garbage:
            return _broken(f"gave a wrong answer: {error}")
        if process.returncode in _OUT_OF_CPU:
            return TemplateLimit("cpu", self._limits)
        return _broken(f"ended {_status(process.returncode)}")


def _broken(what: str) -> SandboxError:
    remedy = "try again; if it happens again, the template is what does it"
    return SandboxError(f"the process that renders templates {what}", code="sandbox-broken", remedy=remedy)


def closed() -> SandboxError:
    """The error of whoever asks a sandbox that is closed."""
    return SandboxError("the sandbox is closed", code="sandbox-closed", remedy="open another one")


def _spawn(limits: Limits) -> subprocess.Popen[bytes]:
    # Isolated (no environment, no `site`), but with the parent's path, after the standard library.
    paths = [path for path in sys.path if os.path.isabs(path)]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", str(PROGRAM), json.dumps(asdict(limits)), *paths],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=os.path.abspath(os.sep),
        env={name: os.environ[name] for name in _NEEDED if name in os.environ},
        start_new_session=True,  # Ctrl-C in the terminal is for the parent
    )


def _status(code: int) -> str:
    if code >= 0:
        return f"with status {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
