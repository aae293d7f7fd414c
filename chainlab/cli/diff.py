"""`chainlab diff`: two runs step by step, and one step of them in full."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from chainlab.cli.run import DB

if TYPE_CHECKING:
    from chainlab.trace import TraceReader


def command(
    a: str = typer.Argument(metavar="RUN", help="A run; alone: a fork, which is compared with the run it came from."),
    b: str | None = typer.Argument(None, metavar="[RUN]", help="The run to compare it with."),
    step: str | None = typer.Argument(
        None, metavar="[STEP]", help="The step to show in full. Default: the first that differs."
    ),
    every: bool = typer.Option(False, "--all", help="List every step, also those that are the same."),
    any_chain: bool = typer.Option(False, "--any-chain", help="Compare runs of different chains, too."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object."),
    db: Path | None = DB,
) -> None:
    """Compare two runs: what differs in which step, and the first of these in full.

    Exit codes: 0 the runs are equal, 1 they differ, 2 wrong use or no such run.
    """
    from chainlab.cli.database import find_run, open_existing
    from chainlab.cli.show_diff import show_diff
    from chainlab.compare.read import read_comparison

    with open_existing(db) as store:
        reader = store.reader
        first = find_run(reader, a, store.path)
        pair = (_parent(reader, first), first) if b is None else (first, find_run(reader, b, store.path))
        found = read_comparison(reader, *pair, step=step, any_chain=any_chain)
        show_diff(found, json=json, every=every)
    raise typer.Exit(0 if found.equal else 1)


def _parent(reader: TraceReader, run_id: str) -> str:
    """The run that a fork was made from. Raises StoreError `no-parent`."""
    from chainlab.errors import StoreError

    trace = reader.trace(run_id, max_bytes=0)
    parent = None if trace is None else trace.run.parent_run_id
    if parent is None:
        raise StoreError(
            f"run {run_id} is no fork: it came from no other run",
            code="no-parent",
            remedy="name the run to compare it with: chainlab diff RUN RUN",
        )
    return parent
