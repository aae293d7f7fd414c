"""What a person sees of a run: a table that redraws itself, or one line a step. Knows no run but its board."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from chainlab.cli.board import Board, Row
from chainlab.cli.output import console, interactive, mark, plural, safe, seconds, tokens
from chainlab.events import AttemptFinished, AttemptStarted, BackendProgress, Event, StepFinished, StepSkipped

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table
    from rich.text import Text


class View(Protocol):
    """Shows a run while it goes on."""

    board: Board

    def take(self, event: Event) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


def open_view(*, json: bool) -> View:
    """The view that fits: redrawn in a terminal, lines elsewhere; with JSON on stdout, on stderr or silent."""
    if interactive(stderr=json):
        return LiveView(console(stderr=json))
    return Silent() if json else Lines(console())


class Silent:
    """Shows nothing, but remembers."""

    def __init__(self) -> None:
        self.board = Board()

    def take(self, event: Event) -> None:
        """Note what happened."""
        self.board.take(event)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return


class Lines(Silent):
    """One line for every step that ends, one for every further try, a few for a download."""

    def __init__(self, out: Console) -> None:
        super().__init__()
        self._out = out
        self._told = ("", -1)
        self._why: dict[str, str] = {}

    def take(self, event: Event) -> None:
        """Note what happened, and say it when it is an end."""
        super().take(event)
        match event:
            case StepFinished():
                row = self._row(event.path)
                counted = tokens(event.tokens_in, event.tokens_out)
                tries = f"{event.attempts} attempts" if event.attempts > 1 else ""
                error = event.error.message.partition("\n")[0] if event.error else ""
                took = "" if event.status == "reused" else seconds(event.duration_us)
                self._say(event.status, event.path, took, row.model, counted, tries, error)
            case StepSkipped():
                self._say("skipped", event.path, f"because of {event.cause_path}")
            case AttemptFinished() if event.error is not None:
                self._why[event.path] = event.error.message.partition("\n")[0]
            case AttemptStarted() if event.n > 1:
                self._say("again", event.path, f"attempt {event.n} ({event.reason})", self._why.get(event.path, ""))
            case BackendProgress():
                self._progress(event)

    def _row(self, path: str) -> Row:
        from chainlab.cli.board import key_of

        return self.board.rows[key_of(path)]

    def _progress(self, event: BackendProgress) -> None:
        quarter = int(4 * event.done / event.total) if event.total and event.total > 1 else 0
        if (event.what, quarter) != self._told:
            self._told = (event.what, quarter)
            self._say("prepare", event.what, _amount(event))

    def _say(self, status: str, *parts: str) -> None:
        self._out.print(f"{status:<9} " + "  ".join(safe(part) for part in parts if part))


class LiveView(Silent):
    """A table that is redrawn ten times a second."""

    def __init__(self, out: Console) -> None:
        from rich.live import Live

        super().__init__()
        self._live = Live(self, console=out, refresh_per_second=10, vertical_overflow="crop")

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.vertical_overflow = "visible"  # the last picture stays, whole
        self._live.stop()

    def __rich_console__(self, out: Console, options: ConsoleOptions) -> RenderResult:
        """The picture of this moment."""
        if self.board.progress is not None:
            yield preparing(self.board.progress)
        if self.board.rows:
            yield table(self.board)


def table(board: Board) -> Table:
    """All steps of a run, one row each."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=1)
    grid.add_column(overflow="ellipsis", no_wrap=True, ratio=2)
    grid.add_column(style="dim", overflow="ellipsis", no_wrap=True, ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    for row in board.in_order():
        counted = Text(tokens(row.tokens_in, row.written), "" if row.status in ("ok", "failed") else "dim")
        took = "" if row.status in ("skipped", "reused") else seconds(row.elapsed_us)
        grid.add_row(mark(row.status), _name(row), Text(safe(row.model)), took, counted)
    return grid


def _name(row: Row) -> Text:
    from rich.text import Text

    text = Text("  " * row.depth + safe(row.path), "dim" if row.status == "skipped" else "")
    if row.folded:
        text.append(f" ×{len(row.states)}", "bold")
        if set(row.states.values()) != {"ok"}:
            counts = row.counts
            said = [f"{counts[status]} {status}" for status in _TOLD if counts[status]]
            text.append("  " + " ".join(said), "dim")
    if row.note:
        text.append(f"  {row.note}", "yellow")
    return text


_TOLD = ("ok", "reused", "cached", "failed", "running", "waiting", "skipped", "cancelled")


def preparing(progress: BackendProgress) -> Table:
    """How far a backend is with what it downloads or loads."""
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    bar = ProgressBar(progress.total, progress.done, width=30, pulse=not progress.total or progress.total == 1)
    grid.add_row(Text(safe(progress.what)), bar, Text(_amount(progress), "dim"))
    return grid


def _amount(progress: BackendProgress) -> str:
    """How far, in megabytes where it is bytes."""
    if progress.total is None or progress.total < 1_000_000:
        return "" if progress.total in (None, 1) else f"{progress.done} of {plural(progress.total or 0, 'part')}"
    return f"{progress.done / 1e6:.0f} of {progress.total / 1e6:.0f} MB"
