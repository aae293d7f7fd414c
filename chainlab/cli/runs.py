"""`chainlab runs`: the recorded runs, newest first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import typer

from chainlab.cli.run import DB

if TYPE_CHECKING:
    from chainlab.trace import RunSummary


def command(
    chain: str | None = typer.Option(None, "--chain", metavar="NAME", help="Only runs of this chain."),
    status: str | None = typer.Option(None, "--status", metavar="STATUS", help="ok, failed, running, cancelled, ..."),
    limit: int = typer.Option(20, "--limit", min=1, metavar="N", help="How many at most."),
    json: bool = typer.Option(False, "--json", help="Print a JSON list."),
    db: Path | None = DB,
) -> None:
    """List the recorded runs, newest first."""
    from chainlab.cli.database import open_existing, place
    from chainlab.cli.output import console, print_json

    check_status(status)
    if not place(db).exists():
        if json:
            print_json([])
        else:
            console().print(f"no runs yet in {place(db)}")
        return
    with open_existing(db) as store:
        found = store.reader.runs(chain=chain, status=status, limit=limit)
        if json:
            print_json([as_json(run) for run in found])
        elif not found:
            console().print("no run is like that" if chain or status else f"no runs yet in {store.path}")
        else:
            _table(found)
            if len(found) == limit:
                console().print(f"the newest {limit}; more with --limit", style="dim")


def as_json(run: RunSummary) -> dict[str, Any]:
    """A run's row for programs."""
    return {
        "run": run.id,
        "chain": run.chain,
        "status": run.status,
        "started_at_us": run.started_at,
        "duration_us": run.duration_us,
        "steps": {
            "total": run.steps_total,
            "ok": run.steps_ok,
            "failed": run.steps_failed,
            "skipped": run.steps_skipped,
            "reused": run.steps_reused,
        },
        "tokens_in": run.tokens_in,
        "tokens_out": run.tokens_out,
        "tags": list(run.tags),
        "parent": run.parent_run_id,
        "kept_at_us": run.kept_at,
        "error": None
        if run.error is None
        else {"code": run.error.code, "message": run.error.message, "path": run.error.path},
    }


def check_status(status: str | None) -> None:
    """Refuse a status that no run has. Raises typer.BadParameter."""
    from chainlab.events import RunStatus
    from chainlab.values.near import did_you_mean

    known = get_args(RunStatus)
    if status is not None and status not in known:
        raise typer.BadParameter(
            f"{status!r}: {did_you_mean(status, known)}known: {', '.join(known)}", param_hint="'--status'"
        )


def _table(found: tuple[RunSummary, ...]) -> None:
    from rich.table import Table
    from rich.text import Text

    from chainlab.cli.output import clock, console, mark, safe, seconds, tokens

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "run", "chain", "started", "took", "steps", "tokens", "error"):
        table.add_column(
            name, no_wrap=True, overflow="ellipsis", justify="right" if name in ("took", "steps") else "left"
        )
    for run in found:
        error = run.error.message.partition("\n")[0] if run.error else ""
        if run.error and run.error.path:
            error = f"{run.error.path}: {error}"
        table.add_row(
            mark(run.status) + Text(f" {run.status}{', kept' if run.kept_at is not None else ''}"),
            run.id,
            safe(run.chain),
            clock(run.started_at),
            seconds(run.duration_us),
            f"{run.steps_ok + run.steps_reused}/{run.steps_total}",
            tokens(run.tokens_in, run.tokens_out),
            Text(safe(error)[:60], "red"),
        )
    out = console()
    if not out.is_terminal:
        out.width = 200  # nothing is cut for a pipe
    out.print(table, soft_wrap=False)
