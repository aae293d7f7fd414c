"""`chainlab backtest`: the same edit on many recorded runs, and a table of what became of each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from chainlab.cli import edit_options as options
from chainlab.cli.run import DB

if TYPE_CHECKING:
    from chainlab.lab.backtest import BacktestPlan
    from chainlab.lab.lab import Lab
    from chainlab.trace import TraceReader

CONCURRENCY = typer.Option(4, "--concurrency", min=1, metavar="N", help="How many runs at once.")
YES = typer.Option(False, "--yes", help="Do not ask. Needed where nobody can answer, and with --json.")
_LAST = 20


def command(
    targets: list[str] = typer.Argument(
        None,
        metavar="[CHAIN|RUN]...",
        help="The name of a chain: its last runs. Or runs: ids, beginnings of ids, last.",
    ),
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
    last: int | None = typer.Option(
        None, "--last", min=1, metavar="N", help=f"How many of the chain's last runs. Default: {_LAST}."
    ),
    status: str | None = typer.Option(None, "--status", metavar="STATUS", help="Only runs that ended so: failed, ok."),
    tag: str | None = typer.Option(None, "--tag", metavar="TAG", help="Only runs with this tag."),
    scope: str = options.SCOPE,
    on_drift: str = options.ON_DRIFT,
    on_effects: str = options.ON_EFFECTS,
    module: list[Path] = options.MODULE,
    concurrency: int = CONCURRENCY,
    resume: str | None = typer.Option(
        None, "--resume", metavar="BATCH", help="Go on with a batch that was cut off: its id, or last."
    ),
    plan: bool = typer.Option(False, "--plan", help="Only say what would run. Exit code 1 when nothing would."),
    yes: bool = YES,
    json: bool = options.JSON,
    db: Path | None = DB,
) -> None:
    """Replay many recorded runs with the same edit, each from its own record, and say what it did to every one.

    Exit codes: 0 ok, 1 a run is broken or still failing, 2 wrong use or nothing to run, 130 interrupted.
    """
    from chainlab.cli.database import open_existing
    from chainlab.cli.drive_batch import refuse_both
    from chainlab.cli.edits import read_edits
    from chainlab.cli.load import load_file
    from chainlab.cli.resume import resume_batch
    from chainlab.cli.runs import check_status
    from chainlab.lab.lab import Lab

    refuse_both(targets, resume, "a chain or runs")
    check_status(status)
    asked = options.asked(scope=scope, on_drift=on_drift, on_effects=on_effects)
    for file in module:
        load_file(file)
    if resume is not None:
        resume_batch(resume, "chainlab backtest", concurrency=concurrency, json=json, db=db)
    one = options.one_edit(template, system, model, temperature, max_tokens, seed)
    with open_existing(db) as store:
        ids = _picked(store.reader, targets, last, status, tag, store.path)
        wanted = read_edits(store.reader, ids[0], step, one, bind, given, output, edits)
    with Lab.open(db) as lab:
        planned = lab.plan_backtest(wanted, runs=ids, **asked)
        if plan:
            _only_plan(planned, concurrency, json)
        _test(lab, planned, concurrency, yes, json)


def _test(lab: Lab, plan: BacktestPlan, concurrency: int, yes: bool, json: bool) -> NoReturn:
    """Show, ask, run, tell; ends the command."""
    from chainlab.cli.ask import confirmed
    from chainlab.cli.batch_view import open_batch_view
    from chainlab.cli.drive_batch import drive_batch, leave_interrupted
    from chainlab.cli.output import console, plural, print_json
    from chainlab.cli.show_backtest import backtest_json, say_backtest, say_plan
    from chainlab.lab.backtest import check_makes_something

    if not json:
        say_plan(plan, concurrency, console())
    check_makes_something(plan)
    most = plural(plan.estimate.calls_at_most, "call")
    if not yes and plan.estimate.calls_at_most and not ask_to_spend(most, json, confirmed):
        console().print("nothing was run")
        raise typer.Exit(1)
    view = open_batch_view(json=json)
    found = drive_batch(lab, lambda tell: lab.backtest(plan, concurrency=concurrency, on_progress=tell), view)
    lab.close()
    if found is None:
        leave_interrupted(view, "chainlab backtest", json=json)
    if json:
        print_json(backtest_json(found))
    else:
        say_backtest(found)
    raise typer.Exit(1 if found.failing else 0)


def ask_to_spend(what: str, json: bool, confirmed: Any) -> bool:
    """Whether a person wants calls to be made. Raises StoreError `not-confirmed` where nobody can be asked."""
    from chainlab.errors import StoreError

    if json:
        raise StoreError(
            f"up to {what} would be made, and stdout is for JSON", code="not-confirmed", remedy="say it with --yes"
        )
    return bool(confirmed(f"make up to {what}?", otherwise=f"up to {what} would be made"))


def _only_plan(plan: BacktestPlan, concurrency: int, json: bool) -> NoReturn:
    from chainlab.cli.output import console, print_json
    from chainlab.cli.show_backtest import plan_json, say_plan

    if json:
        print_json(plan_json(plan))
    else:
        say_plan(plan, concurrency, console())
    raise typer.Exit(0 if len(plan.refused) < len(plan.runs) else 1)


def _picked(
    reader: TraceReader, targets: list[str], last: int | None, status: str | None, tag: str | None, path: Path
) -> list[str]:
    """The runs that are meant. Raises StoreError `run-not-found`, ReplayError `no-runs`."""
    from chainlab.cli.database import find_run
    from chainlab.errors import ReplayError, StoreError
    from chainlab.lab.backtest import pick_runs
    from chainlab.values.near import did_you_mean

    chains = reader.chains()
    if targets[0] not in chains or len(targets) > 1:
        if last is not None or status is not None or tag is not None:
            raise typer.BadParameter(
                "--last, --status and --tag choose among the runs of one chain; name the chain alone"
            )
        if len(targets) == 1 and not reader.find(targets[0]):
            raise StoreError(
                f"there is no chain and no run {targets[0]!r}",
                code="run-not-found",
                file=str(path),
                remedy=did_you_mean(targets[0], chains).strip() or "list the runs with `chainlab runs`",
            )
        return [find_run(reader, target, path) for target in targets]
    found = pick_runs(reader, chain=targets[0], last=last or _LAST, status=status, tag=tag)
    if not found:
        raise ReplayError(
            f"no recorded run of {targets[0]!r} is like that",
            code="no-runs",
            expected="runs that have ended and are no forks",
            remedy=f"list them with `chainlab runs --chain {targets[0]}`",
        )
    return list(found)
