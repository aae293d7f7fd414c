"""What a person sees of a batch while it goes on: a line that redraws itself, or one line a run. Knows no lab."""

from __future__ import annotations

from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from chainlab.cli.output import console, interactive, plural, safe, seconds
from chainlab.events import BackendProgress
from chainlab.lab.batches import BatchProgress

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult


class BatchView(Protocol):
    """Shows a batch while it goes on. `last`: the last that was told of it."""

    last: BatchProgress | None

    def take(self, progress: BatchProgress) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...


def open_batch_view(*, json: bool) -> BatchView:
    """The view that fits: redrawn in a terminal, lines elsewhere; with JSON on stdout, on stderr or silent."""
    if interactive(stderr=json):
        return LiveBatch(console(stderr=json))
    return Silent() if json else Lines(console())


class Silent:
    """Shows nothing, but remembers."""

    def __init__(self) -> None:
        self.last: BatchProgress | None = None

    def take(self, progress: BatchProgress) -> None:
        """Note how far it is."""
        self.last = progress

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return


class Lines(Silent):
    """One line for every run that ends or is refused, a few for a download."""

    def __init__(self, out: Console) -> None:
        super().__init__()
        self._out = out
        self._told = ("", -1)

    def take(self, progress: BatchProgress) -> None:
        """Note how far it is, and say what has ended."""
        super().take(progress)
        far = f"{progress.done}/{progress.total}"
        if progress.ended is not None:
            one = progress.ended
            arm = f"{one.arm} {one.sample + 1}  " if one.arm else ""
            took = seconds(one.run.duration_us)
            self._out.print(f"{one.run.status:<9} {far:>7}  {arm}{one.key} -> {one.run.id}  {took}")
        if progress.refused is not None:
            (key, _, _), why = progress.refused
            self._out.print(f"{'refused':<9} {far:>7}  {key}  {safe(why.message)}")
        if progress.preparing is not None:
            loading = progress.preparing
            quarter = int(4 * loading.done / loading.total) if loading.total and loading.total > 1 else 0
            if (loading.what, quarter) != self._told:
                self._told = (loading.what, quarter)
                self._out.print(f"{'prepare':<9} {safe(loading.what)}")


class LiveBatch(Silent):
    """A bar that is redrawn ten times a second."""

    def __init__(self, out: Console) -> None:
        from rich.live import Live

        super().__init__()
        self._live = Live(self, console=out, refresh_per_second=10)
        self._ended: Counter[str] = Counter()

    def take(self, progress: BatchProgress) -> None:
        """Note how far it is."""
        super().take(progress)
        if progress.ended is not None:
            self._ended[progress.ended.run.status] += 1
        if progress.refused is not None:
            self._ended["refused"] += 1

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._live.stop()

    def __rich_console__(self, out: Console, options: ConsoleOptions) -> RenderResult:
        """The picture of this moment."""
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        from chainlab.cli.view import preparing

        if self.last is None:
            return
        if self.last.preparing is not None:
            loading = self.last.preparing
            yield preparing(BackendProgress("", "", loading.what, loading.done, loading.total))
        counts = ", ".join(f"{count} {status}" for status, count in self._ended.items())
        grid = Table.grid(padding=(0, 2))
        grid.add_row(
            ProgressBar(self.last.total, self.last.done, width=30),
            Text(f"{self.last.done} of {plural(self.last.total, 'run')}"),
            Text(", ".join(part for part in (plural(self.last.calls, "call"), counts) if part), "dim"),
        )
        yield grid
