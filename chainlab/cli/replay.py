"""`chainlab replay`: a recorded run again, with edits: what was edited or failed and what follows it, as a fork."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from chainlab.cli.run import DB

if TYPE_CHECKING:
    from chainlab.lab.replaying import ReadyReplay

SCOPES = ("step", "descendants", "changed", "all")


def command(
    run: str = typer.Argument(metavar="RUN", help="An id, a prefix, `last` or `last-failed`."),
    step: str | None = typer.Option(
        None,
        "--step",
        metavar="STEP",
        help="The step to edit: `critique`, `summarise[1]`, or `$input` for the run's own.",
    ),
    template: str | None = typer.Option(
        None, "--template", metavar="TEXT|@FILE", help="Another template (the last user message)."
    ),
    system: str | None = typer.Option(None, "--system", metavar="TEXT|@FILE", help="Another system message."),
    model: str | None = typer.Option(None, "--model", metavar="REF", help="Another model."),
    temperature: float | None = typer.Option(None, "--temperature", metavar="X", help="Another temperature."),
    max_tokens: int | None = typer.Option(None, "--max-tokens", metavar="N", help="Another token limit."),
    seed: int | None = typer.Option(None, "--seed", metavar="N", help="Another seed."),
    bind: list[str] = typer.Option(
        [], "--bind", metavar="NAME=VALUE", help="A new variable of the template: `topics=extract.topics`. Repeatable."
    ),
    given: list[str] = typer.Option(
        [], "--input", metavar="NAME=VALUE", help="Another input: name=text, name=@file or name:=json. Repeatable."
    ),
    output: str | None = typer.Option(
        None, "--output", metavar="JSON|@FILE", help="The step's output, set by hand instead of running it."
    ),
    edits: str | None = typer.Option(None, "--edits", metavar="JSON|@FILE", help="Several edits, as a JSON list."),
    scope: str = typer.Option(
        "descendants", "--scope", metavar="SCOPE", help="step, descendants (what follows too), changed, or all."
    ),
    on_drift: str = typer.Option(
        "refuse", "--on-drift", metavar="HOW", help="Other steps are not what was recorded: refuse, reuse or rerun."
    ),
    on_effects: str = typer.Option(
        "refuse", "--on-effects", metavar="HOW", help='Steps declared with effects="ask": refuse, run or skip.'
    ),
    module: list[Path] = typer.Option(
        [], "--module", metavar="FILE.py", help="The author's file, for Python steps that run again. Repeatable."
    ),
    plan: bool = typer.Option(False, "--plan", help="Only say what would run. Exit code 1 when it would be refused."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object on stdout and nothing else."),
    db: Path | None = DB,
) -> None:
    """Replay a run with an edit: that step and what follows it run, the rest is reused. Without edits: resume it.

    Exit codes: 0 ok, 1 the run failed, 2 wrong use or a refused replay, 130 interrupted.
    """
    from chainlab.cli.database import find_run, open_existing
    from chainlab.cli.drive import drive
    from chainlab.cli.edits import read_edits
    from chainlab.cli.ending import leave, tell, tell_json
    from chainlab.cli.load import load_file
    from chainlab.cli.output import console
    from chainlab.cli.show_plan import plan_json, say_plan
    from chainlab.cli.view import open_view
    from chainlab.lab.lab import Lab

    asked = _asked(scope=scope, on_drift=on_drift, on_effects=on_effects)
    one = {
        "template": template,
        "system": system,
        "model": model,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "seed": seed,
    }
    with open_existing(db) as store:
        run_id = find_run(store.reader, run, store.path)
        wanted = read_edits(store.reader, run_id, step, one, bind, given, output, edits)
    for file in module:
        load_file(file)
    view = open_view(json=json)
    with Lab.open(db) as lab:
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


def _asked(**given: str) -> dict[str, Any]:
    from chainlab.config import did_you_mean
    from chainlab.errors import ReplayError

    allowed = {"scope": SCOPES, "on_drift": ("refuse", "reuse", "rerun"), "on_effects": ("refuse", "run", "skip")}
    for name, value in given.items():
        if value not in allowed[name]:
            option = "--" + name.replace("_", "-")
            raise ReplayError(
                f"{option} is {value!r}",
                code="bad-option",
                expected=", ".join(allowed[name]),
                remedy=did_you_mean(value, allowed[name]).strip() or "take one of them",
            )
    return dict(given)
