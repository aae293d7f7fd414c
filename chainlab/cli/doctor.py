"""`chainlab doctor`: is everything there that a run needs? Looks at what stands there; changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from chainlab.cli.run import DB

if TYPE_CHECKING:
    from chainlab.cli.checks import Check
    from chainlab.config.settings import Config


def command(
    online: bool = typer.Option(False, "--online", help="Ask each configured server for its models, 5 s at most."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object."),
    db: Path | None = DB,
) -> None:
    """Look at versions, settings, models, keys, the database, the inspector and the disk, and say what helps.

    Calls no model, and reaches no network without --online. Exit codes: 0 no problem (warnings are none), 1 a problem.
    """
    from dataclasses import asdict

    from chainlab.cli.output import print_json

    found = list(_checks(db, online))
    well = all(check.status != "problem" for check in found)
    if json:
        print_json({"ok": well, "checks": [asdict(check) for check in found]})
    else:
        _show(found)
    raise typer.Exit(0 if well else 1)


def _checks(db: Path | None, online: bool) -> Iterator[Check]:
    from chainlab.cli import checks
    from chainlab.cli.database import place
    from chainlab.config.read import load_config
    from chainlab.errors import ConfigError

    yield from checks.versions()
    try:
        config = load_config()
    except ConfigError as error:
        yield checks.Check("settings", "problem", f"{error.message}: {error.file}", error.remedy)
    else:
        yield from checks.settings(config)
        yield from checks.built_in(config)
        yield from checks.keys(config)
        if online:
            yield from _online(config)
    path = place(db)
    yield from checks.database(path)
    yield from checks.inspector(path)
    yield from checks.disk(path)


def _online(config: Config) -> Iterator[Check]:
    """What the servers say, without the keys that one may repeat in its refusal."""
    import asyncio
    from dataclasses import replace

    from chainlab.backends.registry import ModelRegistry
    from chainlab.cli import checks
    from chainlab.values.redact import Redactor

    clean = Redactor(ModelRegistry(config).secrets())
    for check in asyncio.run(checks.servers(config)):
        yield replace(check, says=clean.text(check.says))


def _show(found: list[Check]) -> None:
    from rich.table import Table
    from rich.text import Text

    from chainlab.cli.output import console, mark, plural, safe

    out = console()
    table = Table.grid(padding=(0, 2))
    for check in found:
        style = {"ok": "", "warning": "yellow", "problem": "red"}[check.status]
        table.add_row(mark(check.status) + Text(f" {check.status}"), check.name, Text(safe(check.says), style))
        if check.fix:
            table.add_row("", "", Text(f"fix: {safe(check.fix)}", "dim"))
    if not out.is_terminal:
        out.width = 400  # nothing is cut for a pipe
    out.print(table, soft_wrap=False)
    problems, warnings = (sum(check.status == status for check in found) for status in ("problem", "warning"))
    out.print(
        f"{plural(problems, 'problem') if problems else 'no problem'}, {plural(warnings, 'warning')}", style="dim"
    )
