"""The process that is killed in the middle of a backtest: `python -m tests.kill.backtest_child DB`, built-in model."""

from __future__ import annotations

import sys

from chainlab import Edit, Lab, chain, fill, prompt

EDIT = Edit(step="animal", template="Which animal comes from {{ place }}?")
CONCURRENCY = 4


@prompt("Name an animal of {{ place }}.", model="embedded", max_tokens=8)
def animal(place: str) -> str:
    return fill()


@prompt("What does it eat: {{ name }}", model="embedded", max_tokens=8)
def food(name: str) -> str:
    return fill()


@chain
def zoo(place: str) -> str:
    return food(animal(place))


if __name__ == "__main__":
    with Lab.open(sys.argv[1]) as lab:
        lab.backtest_sync(lab.plan_backtest([EDIT], chain="zoo", last=1000), concurrency=CONCURRENCY)
