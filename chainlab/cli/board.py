"""A run as its events tell it: one row a step, the items of a fan-out folded into one. Knows no terminal."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field

from chainlab.events import (
    AttemptReason,
    AttemptStarted,
    BackendProgress,
    Event,
    RunFinished,
    RunStarted,
    StepFinished,
    StepKind,
    StepSkipped,
    StepStarted,
    TokenDelta,
)

_INDEX = re.compile(r"\[\d+\]")
_WORST_FIRST = ("running", "waiting", "failed", "cancelled", "interrupted", "ok", "reused", "cached", "skipped")


@dataclass
class Row:
    """A step, or all items of a step inside a fan-out."""

    path: str
    kind: StepKind
    sort: str
    folded: bool
    model: str = ""
    states: dict[str, str] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    duration_us: int | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    streamed: dict[str, int] = field(default_factory=dict)
    note: str = ""

    @property
    def depth(self) -> int:
        """How many bodies the step stands in."""
        return self.sort.count(".") // 2

    @property
    def status(self) -> str:
        """What the row is, all items taken together."""
        held = set(self.states.values())
        return next(status for status in _WORST_FIRST if status in held)

    @property
    def counts(self) -> Counter[str]:
        """How many items are how far."""
        return Counter(self.states.values())

    @property
    def elapsed_us(self) -> int:
        """How long it took, or has taken so far."""
        open_still = self.duration_us is None or self.status in ("running", "waiting")
        return int((time.monotonic() - self.began) * 1e6) if open_still else self.duration_us or 0

    @property
    def written(self) -> int:
        """Tokens written, those of replies that still come included."""
        return self.tokens_out + sum(self.streamed.values())


class Board:
    """All rows of a run, and what it came to."""

    def __init__(self) -> None:
        self.run_id: str | None = None
        self.chain = ""
        self.rows: dict[str, Row] = {}
        self.progress: BackendProgress | None = None
        self.finished: RunFinished | None = None

    def take(self, event: Event) -> None:
        """Note what happened."""
        match event:
            case RunStarted():
                self.run_id, self.chain, self.progress = event.run_id, event.chain, None
            case StepStarted():
                row = self._row(event.path, event.step_kind, event.sort)
                row.model = event.model or row.model
                row.states[event.path] = "waiting" if event.step_kind == "prompt" else "running"
            case StepSkipped():
                self._row(event.path, event.step_kind, event.sort).states[event.path] = "skipped"
            case AttemptStarted():
                row = self.rows[key_of(event.path)]
                row.states[event.path] = "running"
                row.note = _again(event.n, event.reason)
            case TokenDelta():
                streamed = self.rows[key_of(event.path)].streamed
                streamed[event.path] = streamed.get(event.path, 0) + 1
            case StepFinished():
                self._finish(event)
            case BackendProgress():
                self.progress = event
            case RunFinished():
                self.finished = event

    def in_order(self) -> list[Row]:
        """Rows as the chain declares them, bodies below the step that holds them."""
        return sorted(self.rows.values(), key=lambda row: (_declared(row.sort), row.sort))

    def _finish(self, event: StepFinished) -> None:
        row = self.rows[key_of(event.path)]
        row.states[event.path] = event.status
        row.streamed.pop(event.path, None)
        row.tokens_in += event.tokens_in or 0
        row.tokens_out += event.tokens_out or 0
        row.duration_us = int((time.monotonic() - row.began) * 1e6) if row.folded else event.duration_us
        row.note = f"{event.attempts} attempts" if event.attempts > 1 else ""

    def _row(self, path: str, kind: StepKind, sort: str) -> Row:
        key = key_of(path)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row(key, kind, sort, folded="[" in path)
        return row


def key_of(path: str) -> str:
    """The row of a path: all items of a fan-out share one."""
    return _INDEX.sub("", path)


def _declared(sort: str) -> str:
    """A sort key without item numbers, which stand between two dots."""
    parts = sort.split(".")
    return ".".join(parts[::2])


def _again(n: int, reason: AttemptReason) -> str:
    return "" if n == 1 else f"attempt {n} ({reason})"
