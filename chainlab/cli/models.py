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
def command(
    ctx: typer.Context,
    offline: bool = typer.Option(False, "--offline", help="Ask no server."),
    json: bool = typer.Option(False, "--json", help="Print a JSON object."),
) -> None:
    """List every name that a step can use as its model, and what the configured servers serve. Calls no model.

    Asked are the servers that this project uses or has a key for, 5 s at most.
    """
    if ctx.invoked_subcommand is not None:
        return
    import asyncio
    from dataclasses import asdict

    from chainlab.backends import health
    from chainlab.backends.registry import ModelRegistry
    from chainlab.cli.output import print_json
    from chainlab.config.read import load_config

    config = load_config()
    found = ModelRegistry(config).describe()
    asked = [] if offline else asyncio.run(health.ask_all(health.worth_asking(config), config.root))
    if json:
        print_json({"models": [asdict(model) for model in found], "servers": [asdict(one) for one in asked]})
        return
    from chainlab.cli.output import console
    from chainlab.cli.show_models import show_names, show_servers

    out = console()
    if not out.is_terminal:
        out.width = 240
    show_names(out, found)
    if asked:
        show_servers(out, asked)
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
