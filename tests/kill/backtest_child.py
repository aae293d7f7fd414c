"""The process that is killed in the middle of a backtest on the built-in model.

`python -m tests.kill.backtest_child DB CALLS`: after that many answers none comes any more, so that the process is in
the middle however late it is killed.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from chainlab import Edit, Lab, chain, fill, prompt
from chainlab.backends.embedded import EmbeddedBackend
from chainlab.messages import Request, Response

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


def answer_only(calls: int) -> None:
    """Let the model answer so many calls; the others wait until somebody kills the process."""
    send, begun = EmbeddedBackend.send, 0

    async def some(self: EmbeddedBackend, request: Request, on_chunk: Any = None) -> Response:
        nonlocal begun
        begun += 1
        if begun > calls:
            await asyncio.Event().wait()
        return await send(self, request, on_chunk)

    setattr(EmbeddedBackend, "send", some)  # noqa: B010 - in this process only


if __name__ == "__main__":
    answer_only(int(sys.argv[2]))
    with Lab.open(sys.argv[1]) as lab:
        lab.backtest_sync(lab.plan_backtest([EDIT], chain="zoo", last=1000), concurrency=CONCURRENCY)
