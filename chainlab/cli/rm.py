"""`chainlab rm`: deletes runs from the trace database, after asking."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from chainlab.cli.run import DB

if TYPE_CHECKING:
    from chainlab.trace import RunSummary


def command(
    runs: list[str] = typer.Argument(metavar="RUN...", help="Ids, beginnings of ids, last, or last-failed."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask. Needed where nobody can answer."),
    db: Path | None = DB,
) -> None:
    """Delete runs: their steps, attempts, and the values that no other run uses. Forks of them stay.

    Exit codes: 0 deleted, 1 the answer was no, 2 refused (a run that is still running, too).
    """
    from chainlab.cli.ask import confirmed
    from chainlab.cli.database import find_run, open_existing
    from chainlab.cli.output import console, plural, size
    from chainlab.store.delete import delete_runs

    with open_existing(db) as store:
        ids = list(dict.fromkeys(find_run(store.reader, run, store.path) for run in runs))
        found = [trace.run for run in ids if (trace := store.reader.trace(run, max_bytes=0)) is not None]
        _tell(found)
        what = plural(len(ids), "run")
        if not yes and not confirmed(f"delete {what} for good?", otherwise=f"{what} would be deleted"):
            console().print("nothing was deleted")
            raise typer.Exit(1)
        deleted = delete_runs(store.path, ids)
    payloads = f"{plural(deleted.payloads, 'payload')} that nothing else used ({size(deleted.payload_bytes)})"
    what = f"{plural(len(deleted.runs), 'run')}, {plural(deleted.steps, 'step')}, {payloads}"
    console().print(f"deleted {what}")


def _tell(found: list[RunSummary]) -> None:
    """The runs that are meant, one a line."""
    from chainlab.cli.output import clock, console, mark, plural, safe

    for run in found:
        facts = [safe(run.chain), run.status, clock(run.started_at), plural(run.steps_total, "step")]
        console().print(mark(run.status), run.id, "  ".join(facts))
