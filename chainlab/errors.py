"""The error tree. Knows nothing else of chainlab.

ChainlabError
├── ChainError        an author's mistake, raised before any model call
├── ConfigError       chainlab.toml, an unknown model, a missing extra
├── StoreError        the trace database cannot be opened, read or written
│   └── TraceWriteError
├── PatchError        an author's file cannot be given a new template
├── ReplayError       a replay that would not be what it says; raised before any call
├── SandboxError      the process that renders strangers' templates cannot be started, or broke
├── BackendError      one attempt failed; the engine records it
└── RunFailed         a run did not end ok; raised by `Run.output`
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

_LONGEST_LINE = 400  # characters of a line of a message; the trace has all of it


class ChainlabError(Exception):
    """Base of every error that chainlab raises on purpose."""

    code: str = "error"


def compose(
    headline: str,
    *,
    file: str | None = None,
    line: int | None = None,
    expected: str | None = None,
    got: str | None = None,
    remedy: str = "",
) -> str:
    """Lay an error out the one way all errors are laid out: what, where, expected, got, next action."""
    lines = [headline]
    if file is not None:
        lines.append(f"  at        {file}:{line}" if line is not None else f"  at        {file}")
    if expected is not None:
        lines.append(f"  expected  {expected}")
    if got is not None:
        lines.append(f"  got       {got}")
    if remedy:
        lines.append(f"  fix       {remedy}")
    return "\n".join(lines)


_LABELS = re.compile(
    r"\A(?P<message>.*?)(?:\n  expected  (?P<expected>.*?))?"
    r"(?:\n  got       (?P<got>.*?))?(?:\n  fix       (?P<remedy>.*?))?\Z",
    re.DOTALL,
)


def bounded(text: str, lines: int) -> str:
    """A text of at most so many lines, and of bounded length; what is left out is said."""
    every = text.splitlines() or [""]
    kept = [line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…" for line in every[:lines]]
    if len(every) > lines:
        kept[-1] += f" (and {len(every) - lines} more lines)"
    return "\n".join(kept)


E = TypeVar("E", bound=ChainlabError)


def quiet(error: E) -> E:
    """The error without chainlab's own frames (it says the line itself). CHAINLAB_TRACEBACK=full keeps them."""
    return error if os.environ.get("CHAINLAB_TRACEBACK") == "full" else error.with_traceback(None)


class ChainError(ChainlabError):
    """A chain, prompt or step is declared or called wrongly. Raised before any model call.

    Derives from Exception only: never TypeError, ValueError or AttributeError, which pydantic and
    `hasattr` would swallow.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        remedy: str,
        file: str | None = None,
        line: int | None = None,
        step: str | None = None,
        expected: str | None = None,
        got: str | None = None,
    ) -> None:
        self.message = message
        self.code = code
        self.file = file
        self.line = line
        self.step = step
        self.expected = expected
        self.got = got
        self.remedy = remedy
        super().__init__(message)

    def __str__(self) -> str:
        head = f"{self.step}: {self.message}" if self.step else self.message
        return compose(
            f"{head} [{self.code}]",
            file=self.file,
            line=self.line,
            expected=self.expected,
            got=self.got,
            remedy=self.remedy,
        )


class ConfigError(ChainlabError):
    """Configuration, a model reference, or an optional part is missing or wrong."""

    def __init__(self, message: str, *, code: str = "config", remedy: str = "", file: str | None = None) -> None:
        self.message, self.code, self.remedy, self.file = message, code, remedy, file
        super().__init__(message)

    def __str__(self) -> str:
        return compose(f"{self.message} [{self.code}]", file=self.file, remedy=self.remedy)


class StoreError(ChainlabError):
    """The trace database cannot be used."""

    def __init__(self, message: str, *, code: str = "store", remedy: str = "", file: str | None = None) -> None:
        self.message, self.code, self.remedy, self.file = message, code, remedy, file
        super().__init__(message)

    def __str__(self) -> str:
        return compose(f"{self.message} [{self.code}]", file=self.file, remedy=self.remedy)


class TraceWriteError(StoreError):
    """A trace row could not be written (disk full, read-only file); the run stops rather than lose it."""


class ReplayError(ChainlabError):
    """A replay is refused before anything runs. `plan` is the replay as it was thought through, where it got so far."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        path: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        remedy: str = "",
        plan: Any = None,
    ) -> None:
        self.message, self.code, self.path = message, code, path
        self.expected, self.got, self.remedy, self.plan = expected, got, remedy, plan
        super().__init__(message)

    def __str__(self) -> str:
        return compose(f"{self.message} [{self.code}]", expected=self.expected, got=self.got, remedy=self.remedy)


class PatchError(ChainlabError):
    """A template cannot be put into its file, or a fork not be kept. Nothing was written.

    `file` is relative to the project's root where it lies below it.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        remedy: str,
        file: str | None = None,
        line: int | None = None,
        expected: str | None = None,
        got: str | None = None,
    ) -> None:
        self.message, self.code, self.remedy = message, code, remedy
        self.file, self.line, self.expected, self.got = file, line, expected, got
        super().__init__(message)

    def __str__(self) -> str:
        return compose(
            f"{self.message} [{self.code}]",
            file=self.file,
            line=self.line,
            expected=self.expected,
            got=self.got,
            remedy=self.remedy,
        )


class SandboxError(ChainlabError):
    """The process that renders strangers' templates cannot be started, or did not answer as it should."""

    def __init__(self, message: str, *, code: str, remedy: str = "") -> None:
        self.message, self.code, self.remedy = message, code, remedy
        super().__init__(message)

    def __str__(self) -> str:
        return compose(f"{self.message} [{self.code}]", remedy=self.remedy)


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """The recordable form of an error: what is stored with a step, an attempt or a run."""

    code: str
    message: str
    expected: str | None = None
    got: str | None = None
    remedy: str = ""
    retryable: bool = False
    http_status: int | None = None
    file: str | None = None
    line: int | None = None

    @property
    def text(self) -> str:
        """The whole of it, as it is stored and shown: the message, what was expected and got, the next action."""
        return compose(self.message, expected=self.expected, got=self.got, remedy=self.remedy)

    @classmethod
    def parsed(cls, code: str, text: str) -> ErrorInfo:
        """The error whose `text` was stored."""
        found = _LABELS.match(text)
        assert found is not None  # it matches every text
        parts = found.groupdict()
        return cls(code, parts["message"], parts["expected"], parts["got"], parts["remedy"] or "")


class BackendError(ChainlabError):
    """One attempt at a backend failed. `code` is the kind of failure, `retryable` whether trying again can help.

    `body` is the raw reply as far as it came, for the trace. `retry_after_s` is how long the backend asked to wait.
    `expected` and `got` are a limit and what went over it. `gauges`: how busy the backend was.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        retryable: bool = False,
        http_status: int | None = None,
        body: str | None = None,
        remedy: str = "",
        retry_after_s: float | None = None,
        expected: str | None = None,
        got: str | None = None,
    ) -> None:
        self.message, self.code, self.retryable = message, code, retryable
        self.http_status, self.body, self.remedy = http_status, body, remedy
        self.retry_after_s = retry_after_s
        self.expected, self.got = expected, got
        self.gauges: Mapping[str, float] | None = None
        super().__init__(message)

    def info(self) -> ErrorInfo:
        """The recordable form."""
        return ErrorInfo(
            code=self.code,
            message=self.message,
            expected=self.expected,
            got=self.got,
            remedy=self.remedy,
            retryable=self.retryable,
            http_status=self.http_status,
        )


class RunFailed(ChainlabError):
    """A run did not end `ok`. `path` is the first step that failed; `run` is the whole run."""

    def __init__(
        self,
        run: Any,
        *,
        path: str,
        code: str,
        message: str,
        attempt: int = 0,
        expected: str | None = None,
        got: str | None = None,
        remedy: str = "",
        retryable: bool = False,
        file: str | None = None,
        line: int | None = None,
        link: str | None = None,
    ) -> None:
        self.run, self.path, self.code, self.message = run, path, code, message
        self.attempt, self.expected, self.got = attempt, expected, got
        self.remedy, self.retryable = remedy, retryable
        self.file, self.line, self.link = file, line, link
        super().__init__(message)

    def __str__(self) -> str:
        attempt = f" (attempt {self.attempt})" if self.attempt > 1 else ""
        where = f" at {self.path}{attempt}" if self.path else ""
        failed = f"failed{where}" if self.run.status != "ok" else f"has no output: {self.path}"
        text = compose(
            f"run {self.run.id} {failed}: {bounded(self.message, 3)} [{self.code}]",
            file=self.file,
            line=self.line,
            expected=self.expected and bounded(self.expected, 1),
            got=self.got and bounded(self.got, 1),
            remedy=bounded(self.remedy, 2),
        )
        return f"{text}\n  trace     {self.link}" if self.link else text
