"""`chainlab check`: are the chains of a file right? Runs no chain and calls no model."""

from __future__ import annotations

from pathlib import Path

import typer


def command(files: list[Path] = typer.Argument(metavar="FILE.py...", help="Files that declare chains.")) -> None:
    """Check every chain, prompt and step of a file. No model is called.

    Exit codes: 0 all are right, 2 one is not.
    """
    from chainlab.cli.output import say_error
    from chainlab.errors import ChainlabError

    wrong = 0
    for file in files:
        try:
            _check(file)
        except ChainlabError as error:
            wrong += 1
            say_error(str(error))
    raise typer.Exit(2 if wrong else 0)


def _check(file: Path) -> None:
    from chainlab.cli.load import declared, kind_of, load_file
    from chainlab.cli.output import console, mark, plural, safe
    from chainlab.spec.chain import walk

    found = declared(load_file(file))
    out = console()
    out.print(mark("ok" if found else "skipped"), safe(str(file)), style="bold")
    if not found:
        out.print("  declares no chain, prompt or step")
    for kind in ("chain", "prompt", "step"):
        for name, what in found:
            if kind_of(what) != kind:
                continue
            spec = what.program().spec
            called = f"{name}({', '.join(spec.inputs)})"
            steps = plural(sum(1 for _ in walk(spec.steps)), "step") if kind == "chain" else ""
            out.print(f"  {kind:<7} {safe(called)}  {steps}".rstrip())
