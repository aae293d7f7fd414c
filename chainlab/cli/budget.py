"""--budget NAME=NUMBER: what a run may take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from chainlab.errors import ChainError

if TYPE_CHECKING:
    from chainlab.spec.budget import Budget

BUDGET = typer.Option(
    [], "--budget", metavar="NAME=NUMBER", help="What a run may take: calls=, tokens=, cost= or seconds=. Repeatable."
)
_NAMES = {"calls": "max_calls", "tokens": "max_tokens", "cost": "max_cost", "seconds": "deadline"}


def read_budget(written: Sequence[str]) -> Budget | None:
    """The budget; None: nothing was written. Raises ChainError `bad-option`."""
    if not written:
        return None
    from pydantic import ValidationError

    from chainlab.spec.budget import Budget

    limits: dict[str, str] = {}
    for text in written:
        name, equals, number = text.partition("=")
        if not equals or name not in _NAMES or _NAMES[name] in limits:
            raise _wrong(text)
        limits[_NAMES[name]] = number
    try:
        return Budget.model_validate(limits)
    except ValidationError:
        raise _wrong(" ".join(written)) from None


def _wrong(text: str) -> ChainError:
    return ChainError(
        f"--budget {text!r} is no limit",
        code="bad-option",
        expected="calls=, tokens=, cost= or seconds=, each once, with a number above 0",
        got=text,
        remedy="write for example --budget calls=20 --budget cost=0.50",
    )
