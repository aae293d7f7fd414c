"""A bar for one long preparation, such as a download; plain lines where there is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chainlab.cli.view import open_view
from chainlab.events import BackendProgress
from chainlab.messages import Progress


@contextmanager
def reporting() -> Iterator[Callable[[Progress], None]]:
    """What a backend reports to."""
    with open_view(json=False) as view:
        yield lambda progress: view.take(BackendProgress("", "", progress.what, progress.done, progress.total))
