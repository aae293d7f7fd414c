"""One step, run on a server that is made for it: what came of it, and what the server saw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chainlab import Lab, Run
from chainlab.events import TokenDelta
from chainlab.protocols import Backend
from chainlab.trace import AttemptRow
from tests.faults.server import Answer, Call, serving


@dataclass(frozen=True)
class Asked:
    """What came of it."""

    run: Run[Any]
    attempts: tuple[AttemptRow, ...]
    calls: list[Call]
    texts: list[str]

    @property
    def code(self) -> str | None:
        """The error's code, if it failed."""
        return self.run.failure.error.code if self.run.failure else None

    @property
    def body(self) -> dict[str, Any]:
        """The only request."""
        (call,) = self.calls
        return call.body


def ask(what: Any, backend: Callable[[str], Backend], answer: Answer, db: Path, /, **given: Any) -> Asked:
    """Run a step, streamed. `backend`: made for the server's address (with /v1)."""

    async def work() -> Asked:
        async with serving(answer) as server, Lab.open(db, default_model=backend(server.url)) as lab:
            stream = lab.stream(what, **given)
            texts = [event.text async for event in stream if isinstance(event, TokenDelta)]
            run = await stream.run()
            step = lab.reader.step(run.id, next(iter(run.steps)))
            return Asked(run, step.attempts if step else (), server.calls, texts)

    return asyncio.run(work())
