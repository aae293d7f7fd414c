"""A known name near a wrong one. Knows nothing of what is named."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """The known name that is nearest, alone in a list; nothing in it when none is near."""
    import difflib  # for who has mistaken a name only

    return difflib.get_close_matches(name, list(known), n=1)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`did you mean 'x'? ` when a known name is near, else an empty string."""
    near = nearest(name, known)
    return f"did you mean {near[0]!r}? " if near else ""
