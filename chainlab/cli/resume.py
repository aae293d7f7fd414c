"""`--resume BATCH` of `chainlab backtest` and `chainlab noise`: going on with a batch of either kind."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import typer


def resume_batch(wanted: str, command: str, *, concurrency: int, json: bool, db: Path | None) -> NoReturn:
    """Go on with a batch, and end the command as if it had not been cut off. `command`: what to type to go on again."""
    from chainlab.cli.batch_view import open_batch_view
    from chainlab.cli.database import open_existing
    from chainlab.cli.drive_batch import drive_batch, leave_interrupted
    from chainlab.cli.output import console, plural, print_json
    from chainlab.cli.show_backtest import backtest_json, say_backtest
    from chainlab.cli.show_noise import noise_json, say_noise
    from chainlab.lab.backtest import Backtest
    from chainlab.lab.lab import Lab

    open_existing(db).close()
    with Lab.open(db) as lab:
        before = lab.batch(wanted)
        if not json:
            console().print(f"go on   batch {before.id}: {before.done} of {plural(before.total, 'run')} are done")
        view = open_batch_view(json=json)
        found = drive_batch(
            lab, lambda tell: lab.resume_batch(before.id, concurrency=concurrency, on_progress=tell), view
        )
    if found is None:
        leave_interrupted(view, command, json=json)
    if isinstance(found, Backtest):
        print_json(backtest_json(found)) if json else say_backtest(found)
        raise typer.Exit(1 if found.failing else 0)
    print_json(noise_json(found)) if json else say_noise(found)
    raise typer.Exit(0)
