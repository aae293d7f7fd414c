"""`chainlab models`: which models can be named, and whether they could answer now. Calls none."""

from __future__ import annotations

import typer

app = typer.Typer(
    help="List the models that a step can name, and fetch the built-in one.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def command(ctx: typer.Context, json: bool = typer.Option(False, "--json", help="Print a JSON list.")) -> None:
    """List every name that a step can use as its model, and whether it could answer now. Calls no model."""
    if ctx.invoked_subcommand is not None:
        return
    from dataclasses import asdict

    from chainlab.backends.registry import ModelRegistry
    from chainlab.cli.output import print_json
    from chainlab.config import load_config

    config = load_config()
    found = ModelRegistry(config).describe()
    if json:
        print_json([asdict(model) for model in found])
        return
    from rich.table import Table
    from rich.text import Text

    from chainlab.cli.output import console, safe

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("model", "leads to", "backend", "ready", "where"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for model in found:
        ready = Text("yes", "green") if model.ready else Text(f"no: {safe(model.note)}", "yellow")
        leads = "" if model.target == model.name else safe(model.target)
        table.add_row(safe(model.name), leads, model.kind, ready, Text(safe(model.where), "dim"))
    out = console()
    if not out.is_terminal:
        out.width = 240
    out.print(table, soft_wrap=False)
    where = str(config.file) if config.file else f"no chainlab.toml in {config.root}"
    out.print(f"settings: {where}", style="dim")


@app.command("pull")
def pull() -> None:
    """Fetch the weights of the built-in model now, so that the first run does not have to."""
    from pathlib import Path

    from chainlab.backends import weights
    from chainlab.backends.embedded import DEFAULT_MODEL
    from chainlab.cli.output import console
    from chainlab.cli.progress import reporting

    root = Path.cwd()
    if weights.present(DEFAULT_MODEL, root):
        path = weights.ensure(DEFAULT_MODEL, root, lambda _: None)  # reads it: a damaged file is fetched again
    else:
        with reporting() as report:
            path = weights.ensure(DEFAULT_MODEL, root, report)
    console().print(f"{DEFAULT_MODEL} is ready: {path}")
