"""`chainlab replay`: a recorded run again, with edits: what was edited or failed and what follows it, as a fork."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from chainlab.cli import edit_options as options
from chainlab.cli.budget import BUDGET
from chainlab.cli.run import DB

if TYPE_CHECKING:
    from chainlab.lab.replaying import ReadyReplay


def command(
    run: str = typer.Argument(metavar="RUN", help="An id, a prefix, `last` or `last-failed`."),
    step: str | None = options.STEP,
    template: str | None = options.TEMPLATE,
    system: str | None = options.SYSTEM,
    model: str | None = options.MODEL,
    temperature: float | None = options.TEMPERATURE,
    max_tokens: int | None = options.MAX_TOKENS,
    seed: int | None = options.SEED,
    bind: list[str] = options.BIND,
    given: list[str] = options.INPUT,
    output: str | None = options.OUTPUT,
    edits: str | None = options.EDITS,
    scope: str = options.SCOPE,
    on_drift: str = options.ON_DRIFT,
    on_effects: str = options.ON_EFFECTS,
    module: list[Path] = options.MODULE,
    budget: list[str] = BUDGET,
    plan: bool = typer.Option(False, "--plan", help="Only say what would run. Exit code 1 when it would be refused."),
    json: bool = options.JSON,
    db: Path | None = DB,
) -> None:
    """Replay a run with an edit: that step and what follows it run, the rest is reused. Without edits: resume it.

    Exit codes: 0 ok, 1 the run failed, 2 wrong use or a refused replay, 130 interrupted.
    """
    from chainlab.cli.budget import read_budget
    from chainlab.cli.database import find_run, open_existing
    from chainlab.cli.drive import drive
    from chainlab.cli.edits import read_edits
    from chainlab.cli.ending import leave, refusals, tell, tell_json
    from chainlab.cli.load import load_file
    from chainlab.cli.output import console
    from chainlab.cli.show_plan import plan_json, say_plan
    from chainlab.cli.view import open_view
    from chainlab.lab.lab import Lab

    with refusals(json=json):
        asked = options.asked(scope=scope, on_drift=on_drift, on_effects=on_effects)
        one = options.one_edit(template, system, model, temperature, max_tokens, seed)
        with open_existing(db) as store:
            run_id = find_run(store.reader, run, store.path)
            wanted = read_edits(store.reader, run_id, step, one, bind, given, output, edits)
        for file in module:
            load_file(file)
        limits = read_budget(budget)
        view = open_view(json=json)
        with Lab.open(db, budget=limits) as lab:
            ready = lab.plan_replay(run_id, edits=wanted, **asked)
            if plan:
                _only_plan(ready, json, plan_json, say_plan)
            if not json and ready.refused is None:
                say_plan(ready, console())
            database = lab.store.path
            ended = drive(lab, lambda: lab.replay_stream(ready), view)
    (tell_json if json else tell)(ended, view.board, database)
    if ended is not None and not json:
        console().print(f"diff   chainlab diff {ended.id}")
    leave(ended, view.board)


def _only_plan(ready: ReadyReplay, json: bool, as_json: Any, say: Any) -> None:
    from chainlab.cli.output import console, print_json, say_error

    if json:
        print_json(as_json(ready))
    else:
        say(ready, console())
        if ready.refused is not None:
            say_error(str(ready.refused))
    raise typer.Exit(0 if ready.refused is None else 1)
