"""The options that describe an edit and how it is replayed, for every command that takes them. Knows no command."""

from __future__ import annotations

from typing import Any

import typer

SCOPES = ("step", "descendants", "changed", "all")

STEP = typer.Option(
    None,
    "--step",
    metavar="STEP",
    help="The step to edit: `critique`, `summarise[1]`, or `$input` for the run's own.",
)
TEMPLATE = typer.Option(None, "--template", metavar="TEXT|@FILE", help="Another template (the last user message).")
SYSTEM = typer.Option(None, "--system", metavar="TEXT|@FILE", help="Another system message.")
MODEL = typer.Option(None, "--model", metavar="REF", help="Another model.")
TEMPERATURE = typer.Option(None, "--temperature", metavar="X", help="Another temperature.")
MAX_TOKENS = typer.Option(None, "--max-tokens", metavar="N", help="Another token limit.")
SEED = typer.Option(None, "--seed", metavar="N", help="Another seed.")
BIND = typer.Option(
    [], "--bind", metavar="NAME=VALUE", help="A new variable of the template: `topics=extract.topics`. Repeatable."
)
INPUT = typer.Option(
    [], "--input", metavar="NAME=VALUE", help="Another input: name=text, name=@file or name:=json. Repeatable."
)
OUTPUT = typer.Option(
    None, "--output", metavar="JSON|@FILE", help="The step's output, set by hand instead of running it."
)
EDITS = typer.Option(None, "--edits", metavar="JSON|@FILE", help="Several edits, as a JSON list.")
SCOPE = typer.Option(
    "descendants", "--scope", metavar="SCOPE", help="step, descendants (what follows too), changed, or all."
)
ON_DRIFT = typer.Option(
    "refuse", "--on-drift", metavar="HOW", help="Other steps are not what was recorded: refuse, reuse or rerun."
)
ON_EFFECTS = typer.Option(
    "refuse", "--on-effects", metavar="HOW", help='Steps declared with effects="ask": refuse, run or skip.'
)
MODULE = typer.Option(
    [], "--module", metavar="FILE.py", help="The author's file, for Python steps that run again. Repeatable."
)
JSON = typer.Option(False, "--json", help="Print one JSON object on stdout and nothing else.")


def one_edit(
    template: str | None,
    system: str | None,
    model: str | None,
    temperature: float | None,
    max_tokens: int | None,
    seed: int | None,
) -> dict[str, Any]:
    """The parts of an edit that are written as they are."""
    return {
        "template": template,
        "system": system,
        "model": model,
        "temperature": temperature,
        "max_tokens": max_tokens,
        "seed": seed,
    }


def asked(**given: str) -> dict[str, Any]:
    """`scope`, `on_drift` and `on_effects` as a lab takes them. Raises ReplayError `bad-option`."""
    from chainlab.errors import ReplayError
    from chainlab.values.near import did_you_mean

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
