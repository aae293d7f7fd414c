"""`chainlab noise`: is a difference the edit, or sampling? Some replays without the edit, as many with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from chainlab.cli import edit_options as options
from chainlab.cli.backtest import CONCURRENCY, YES, ask_to_spend
from chainlab.cli.run import DB


def command(
    run: str | None = typer.Argument(None, metavar="[RUN]", help="An id, a prefix, `last` or `last-failed`."),
    step: str | None = options.STEP,
    template: str | None = options.TEMPLATE,
    system: str | None = options.SYSTEM,
    model: str | None = options.MODEL,
    temperature: float | None = options.TEMPERATURE,
    max_tokens: int | None = options.MAX_TOKENS,
    bind: list[str] = options.BIND,
    given: list[str] = options.INPUT,
    edits: str | None = options.EDITS,
    k: int = typer.Option(8, "-k", "--samples", min=1, metavar="K", help="How many runs without, and with, the edit."),
    level: float = typer.Option(
        0.05, "--level", metavar="X", help="Of edits that change nothing, this share is called an edit."
    ),
    scope: str = typer.Option(
        "step", "--scope", metavar="SCOPE", help="step: only the edited step runs, and is judged. Else the whole run."
    ),
    on_drift: str = options.ON_DRIFT,
    on_effects: str = options.ON_EFFECTS,
    module: list[Path] = options.MODULE,
    concurrency: int = CONCURRENCY,
    resume: str | None = typer.Option(
        None, "--resume", metavar="BATCH", help="Go on with a batch that was cut off: its id, or last."
    ),
    plan: bool = typer.Option(False, "--plan", help="Only say what would run."),
    yes: bool = YES,
    json: bool = options.JSON,
    db: Path | None = DB,
) -> None:
    """Tell an edit from sampling noise: K replays of a step as it was, K with the edit, each with its own seed.

    Exit codes: 0 it was judged, 1 the answer was no, 2 wrong use or refused, 130 interrupted.
    """
    from chainlab.cli.ask import confirmed
    from chainlab.cli.batch_view import open_batch_view
    from chainlab.cli.database import find_run, open_existing
    from chainlab.cli.drive_batch import drive_batch, leave_interrupted, refuse_both
    from chainlab.cli.edits import read_edits
    from chainlab.cli.load import load_file
    from chainlab.cli.output import console, plural, print_json
    from chainlab.cli.resume import resume_batch
    from chainlab.cli.show_noise import noise_json, noise_plan_json, say_noise, say_noise_plan
    from chainlab.lab.lab import Lab

    refuse_both(run, resume, "a run")
    how = options.asked(scope=scope, on_drift=on_drift, on_effects=on_effects)
    asked: dict[str, Any] = {"k": k, "level": level, **how}
    for file in module:
        load_file(file)
    if resume is not None:
        resume_batch(resume, "chainlab noise", concurrency=concurrency, json=json, db=db)
    assert run is not None
    one = options.one_edit(template, system, model, temperature, max_tokens, None)
    with open_existing(db) as store:
        run_id = find_run(store.reader, run, store.path)
        wanted = read_edits(store.reader, run_id, step, one, bind, given, None, edits)
    with Lab.open(db) as lab:
        planned = lab.plan_noise_control(run_id, wanted, **asked)
        if plan and json:
            print_json(noise_plan_json(planned))
        if not json:
            say_noise_plan(planned, concurrency, console())
        if plan:
            raise typer.Exit(0)
        most = plural(planned.estimate.calls_at_most, "call")
        if not yes and not ask_to_spend(most, json, confirmed):
            console().print("nothing was run")
            raise typer.Exit(1)
        view = open_batch_view(json=json)
        found = drive_batch(
            lab,
            lambda tell: lab.noise_control(run_id, wanted, **asked, concurrency=concurrency, on_progress=tell),
            view,
        )
    if found is None:
        leave_interrupted(view, "chainlab noise", json=json)
    print_json(noise_json(found)) if json else say_noise(found)
