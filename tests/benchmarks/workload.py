"""What every subject of the benchmarks does: a 2 KB prompt made from the previous output, a 1 KB reply, no two alike.

The replies differ because the store keeps equal payloads once: equal ones would measure the deduplication.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

TAKEN = 40  # characters of the previous output that the prompt takes, as in the kit's baseline
TEXT = ("You are a careful assistant. Answer in one paragraph. " * 40)[:2000] + "\nInput: "
TEMPLATE = TEXT + f"{{{{ text[:{TAKEN}] }}}}"
_REPLY = ("lorem ipsum dolor sit amet " * 40)[:1014]
numbers = count()


def prompt_of(text: str) -> str:
    """The prompt of a step."""
    return TEXT + text[:TAKEN]


def answer() -> str:
    """1 KB that was never said before."""
    return f"{next(numbers):09d} {_REPLY}"


def model(seconds: float) -> Callable[[str], Awaitable[str]]:
    """A model that takes its time."""

    async def call(prompt: str) -> str:
        if seconds:
            await asyncio.sleep(seconds)
        return answer()

    return call
