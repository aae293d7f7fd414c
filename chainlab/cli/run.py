"""`chainlab run`: a chain of a file, with inputs from the command line, watched while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import typer

from chainlab.cli.budget import BUDGET

DB = typer.Option(None, "--db", metavar="PATH", help="The trace database. Default: the project's, or $CHAINLAB_DB.")


def command(
    target: str = typer.Argument(metavar="FILE.py[:CHAIN]", help="The file and the chain, prompt or step in it."),
    inputs: list[str] = typer.Argument(None, metavar="[NAME=VALUE]...", help="name=text, name=@file or name:=json"),
    model: list[str] = typer.Option([], "--model", metavar="STEP=REF", help="Another model for a step. Repeatable."),
    budget: list[str] = BUDGET,
    json: bool = typer.Option(False, "--json", help="Print one JSON object on stdout and nothing else."),
    db: Path | None = DB,
) -> None:
    """Run a chain and show every step.

    Exit codes: 0 ok, 1 the run failed, 2 wrong use or a wrong chain, 130 interrupted.
    """
    from chainlab.cli.ending import refusals

    with refusals(json=json):
        _run(target, inputs or [], model, budget, json, db)


def _run(target: str, inputs: list[str], models: list[str], budget: list[str], json: bool, db: Path | None) -> NoReturn:
    from chainlab.cli.budget import read_budget
    from chainlab.cli.drive import drive
    from chainlab.cli.ending import leave, tell, tell_json
    from chainlab.cli.inputs import missing, parse_inputs
    from chainlab.cli.load import choose, load_file, split_target
    from chainlab.cli.override import with_models
    from chainlab.cli.view import open_view
    from chainlab.errors import ConfigError
    from chainlab.lab.lab import Lab

    file, name = split_target(target)
    what = with_models(choose(load_file(file), name, file), models)
    spec = what.program().spec
    given = parse_inputs(inputs, spec.inputs)
    missing(given, spec.inputs, spec.defaults)
    limits = read_budget(budget)
    view = open_view(json=json)
    try:
        with Lab.open(db, budget=limits) as lab:
            database = lab.store.path
            run = drive(lab, lambda: lab.stream(what, **given), view)
    except ConfigError as error:
        raise _with_own_config(error, file) from None
    (tell_json if json else tell)(run, view.board, database)
    leave(run, view.board)


def _with_own_config(error: Exception, file: Path) -> Exception:
    """An unknown model may only be unknown here: the settings come from the working directory, not from the file."""
    from chainlab.config.place import find_root
    from chainlab.config.settings import CONFIG_FILE
    from chainlab.errors import ConfigError

    assert isinstance(error, ConfigError)
    own = find_root(file.expanduser().absolute())
    if error.code == "unknown-model" and own != find_root() and (own / CONFIG_FILE).is_file():
        error.remedy = f"the file's own settings are in {own / CONFIG_FILE}: run it from {own}"
    return error
