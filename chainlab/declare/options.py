"""Options of steps, checked where they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chainlab.declare.scope import refuse
from chainlab.declare.where import Where
from chainlab.spec.budget import Budget

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def _number(low: float, high: float) -> Any:
    def check(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            return f"a number from {low:g} to {high:g}"
        return None

    return check


def _integer(low: int) -> Any:
    def check(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            return f"an integer, {low} or more"
        return None

    return check


def _texts(value: Any) -> str | None:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(item, str) for item in value):
        return "a list of texts"
    return None


def _positive(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return "a number of seconds above 0"
    return None


def _name(value: Any) -> str | None:
    if not isinstance(value, str) or not NAME.fullmatch(value):
        return "a name: letters, digits, _ and -"
    return None


def _bool(value: Any) -> str | None:
    return None if isinstance(value, bool) else "True or False"


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "text"


def _model(value: Any) -> str | None:
    if isinstance(value, str) and value:
        return None
    return (
        "a model's name or alias, or a list of them" if isinstance(value, str) or not value or _texts(value) else None
    )


_CHECKS: Mapping[str, Any] = {
    "name": _name,
    "model": _model,
    "temperature": _number(0, 10),
    "max_tokens": _integer(1),
    "stop": _texts,
    "seed": _integer(-(2**63)),
    "top_p": _number(0, 1),
    "retries": _integer(0),
    "n": _integer(1),
    "timeout": _positive,
    "cache": _bool,
    "logprobs": _bool,
    "feedback": _text,
    "tags": _texts,
    "budget": lambda value: None if isinstance(value, Budget) else "a Budget(...)",
    "effects": lambda value: None if value in ("none", "ask", "never") else '"none", "ask" or "never"',
}


def check_options(name: str, options: Mapping[str, Any], place: Where | None) -> None:
    """Refuse an option of a wrong type or range, naming it."""
    for key, value in options.items():
        if value is None or key not in _CHECKS:
            continue
        expected = _CHECKS[key](value)
        if expected is not None:
            refuse(
                "bad-option",
                f"{key}={value!r} of {name!r} is no such option",
                expected=expected,
                got=f"{type(value).__name__} {value!r}"[:80],
                remedy=f"give {key}= {expected}",
                where=place,
                step=name,
            )
