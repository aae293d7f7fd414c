"""The chains that are measured."""

from __future__ import annotations

from chainlab import Chain, chain, each, fill, prompt
from tests.benchmarks.workload import TEMPLATE


@prompt(TEMPLATE)
def ask(text: str) -> str:
    """2 KB out, 1 KB back."""
    return fill()


@chain
def fan(texts: list[str]) -> list[str]:
    """One step for every text."""
    return each(texts, lambda text: ask(text))


def line(n: int) -> Chain[[str], str]:
    """Every step takes the output of the one before."""

    @chain
    def line(text: str) -> str:
        for _ in range(n):
            text = ask(text)
        return text

    return line
