"""What changes need: a lab and a sandbox, opened with the first of them, and the runs that go on. One per server.

Nothing here is loaded when the inspector starts: reading traces needs none of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainlab.lab.lab import Lab
    from chainlab.lab.replaying import ReadyReplay
    from chainlab.replay.decide import OnDrift, OnEffects, Scope
    from chainlab.run import Run
    from chainlab.sandbox.sandbox import Sandbox
    from chainlab.spec.edit import Edit

LAST_WORDS_S = 2.0  # how long runs that are cut off by the server's end may take to say so


class Refused(Exception):
    """A change that this server does not make."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a server may do for its page. `max_calls`: model calls in its life; `write`: it may patch source files."""

    replay: bool = True
    write: bool = False
    max_calls: int = 1000


class Workbench:
    """Carries out what the page asks for. `open_lab` opens the lab on the server's own database."""

    def __init__(self, open_lab: Callable[[], Lab], allowed: Allowed | None = None) -> None:
        self.allowed = allowed if allowed is not None else Allowed()
        self._open_lab = open_lab
        self._lab: Lab | None = None
        self._sandbox: Sandbox | None = None
        self._lock = threading.Lock()
        self._spent = 0
        self._begun: dict[str, str] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def calls_left(self) -> int:
        """Model calls that this server may still make."""
        return max(0, self.allowed.max_calls - self._spent)

    def lab(self) -> Lab:
        """The lab. Slow the first time: call it in a thread."""
        with self._lock:
            if self._lab is None:
                self._lab = self._open_lab()
            return self._lab

    @property
    def sandbox(self) -> Sandbox:
        """Where templates of the page are rendered."""
        if self._sandbox is None:
            from chainlab.sandbox.sandbox import Sandbox

            self._sandbox = Sandbox()
        return self._sandbox

    async def plan(
        self, run_id: str, edits: Sequence[Edit], scope: Scope, on_drift: OnDrift, on_effects: OnEffects
    ) -> ReadyReplay:
        """A replay, thought through. Raises as `Lab.plan_replay`."""
        lab = await asyncio.to_thread(self.lab)
        return await asyncio.to_thread(
            lambda: lab.plan_replay(run_id, edits=edits, scope=scope, on_drift=on_drift, on_effects=on_effects)
        )

    async def begin(self, ready: ReadyReplay, key: str) -> tuple[str, bool]:
        """Begin a replay; its run's id, once it is recorded, and whether it is new: one key begins one run.

        Raises Refused, ReplayError, and what keeps a run from beginning.
        """
        from chainlab.values.ids import new_id

        lab = self.lab()
        known = self._begun.get(key) or lab.reader.by_idempotency_key(key)
        if known is not None:
            return known, False
        if ready.refused is not None:
            raise ready.refused
        self.spend(ready.plan.calls_at_most)
        run_id = self._begun[key] = new_id()
        work = lab.carry_out(ready, run_id=run_id, idempotency_key=key, renderer=self.sandbox)
        task: asyncio.Task[Run[Any]] = self.keep(asyncio.create_task(work))
        while not task.done() and lab.reader.trace(run_id, max_bytes=0) is None:
            await asyncio.wait({task}, timeout=0.005)
        if task.done() and task.exception() is not None and lab.reader.trace(run_id, max_bytes=0) is None:
            del self._begun[key]
            task.result()
        return run_id, True

    def spend(self, calls: int) -> None:
        """Count calls against what the server may make. Raises Refused."""
        if calls > self.calls_left:
            raise Refused(
                429, "budget", f"This server may make {self.calls_left} more calls; this takes up to {calls}."
            )
        self._spent += calls

    def keep(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        """Hold on to a task until it ends, and hear what it ended with."""
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # its run says what went wrong

    async def aclose(self) -> None:
        """Cancel what goes on, let it write that, and let go of everything."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_WORDS_S)
        if self._sandbox is not None:
            await self._sandbox.aclose()
        if self._lab is not None:
            with contextlib.suppress(Exception):
                await self._lab.models.aclose()
            self._lab.close()
