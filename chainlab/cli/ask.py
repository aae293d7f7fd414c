"""Asking a person before something that cannot be taken back: a deletion, calls that cost. Knows no command."""

from __future__ import annotations

import sys


def confirmed(question: str, *, otherwise: str) -> bool:
    """Whether a person says yes. `otherwise`: what would be done, for the error where there is nobody to ask.

    Raises StoreError `not-confirmed` then.
    """
    from chainlab.errors import StoreError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise StoreError(
            f"{otherwise}, and there is no terminal to ask on",
            code="not-confirmed",
            remedy="say it with --yes",
        )
    try:
        answer = input(f"{question} [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")
