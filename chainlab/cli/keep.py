"""`chainlab keep`: a fork accepted, and its edits as a patch of the author's files, written there on request."""

from __future__ import annotations

from pathlib import Path

import typer

from chainlab.cli.run import DB


def command(
    run: str = typer.Argument(metavar="RUN", help="The fork: an id, the beginning of one, or last."),
    apply: bool = typer.Option(False, "--apply", help="Write the patch into the files; without it, it is shown only."),
    plan: bool = typer.Option(False, "--plan", help="Only show what keeping takes: accept nothing, write nothing."),
    force: bool = typer.Option(False, "--force", help="Keep a fork that did not end ok, too."),
    json: bool = typer.Option(False, "--json", help="Print one JSON object."),
    db: Path | None = DB,
) -> None:
    """Accept a fork: its new templates as a diff against your files, and what else your code needs.

    Exit codes: 0 kept, 1 something cannot be patched (it is shown, to be copied), 2 refused: nothing was kept.
    """
    from chainlab.cli.database import find_run, open_existing
    from chainlab.cli.show_keep import show_keep
    from chainlab.config.place import find_root
    from chainlab.errors import ConfigError
    from chainlab.lab.keeping import keep, plan_keep

    if plan and (apply or force):
        raise ConfigError(
            "--plan accepts and writes nothing", code="bad-option", remedy="leave --apply and --force out"
        )
    with open_existing(db) as store:
        reader, root = store.reader, find_root()
        run_id = find_run(reader, run, store.path)
        if plan:
            found = plan_keep(reader, run_id, root)
        else:
            found = keep(reader, store.path, run_id, root, apply=apply, force=force)
    show_keep(found, json=json, apply=apply)
    if plan and found.refused is not None and not json:
        from chainlab.cli.output import say_error

        say_error(str(found.refused))
    raise typer.Exit(1 if found.problems or (plan and found.refused is not None) else 0)
