"""`chainlab show`: a run, or one step of it with everything that is recorded."""

from __future__ import annotations

from pathlib import Path

import typer

from chainlab.cli.run import DB


def command(
    run: str = typer.Argument(metavar="RUN", help="An id, the beginning of one, last, or last-failed."),
    step: str | None = typer.Argument(None, metavar="[STEP]", help="A step's path, such as draft or summarise[3]."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object."),
    db: Path | None = DB,
) -> None:
    """Show a run; with STEP its template, prompt, inputs, reply, output, error and attempts."""
    from chainlab.cli.database import find_run, open_existing

    with open_existing(db) as store:
        run_id = find_run(store.reader, run, store.path)
        if step is None:
            from chainlab.cli.show_run import show_run

            show_run(store.reader, run_id, store.path, json=json)
        else:
            from chainlab.cli.show_step import show_step

            show_step(store.reader, run_id, step, store.path, json=json)
