"""The process that is killed: it runs a workload and writes down every step it was told is safe.

`python -m tests.kill.child DB ACKS NAME WORKLOAD [early]`: `engine` runs real chains through a lab, `alone` one at a
time, `journal` uses the journal directly; `early` acknowledges 5 ms before the commit, the control that must lose
something.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from chainlab import Lab, Request, ScriptedBackend, chain, fill, prompt
from chainlab.backends.registry import ModelRegistry
from chainlab.config.read import load_config
from chainlab.events import Event
from chainlab.store.journal import SqliteJournal
from chainlab.store.store import Store
from chainlab.values.codec import Value
from tests.store import facts

Acknowledge: TypeAlias = Callable[[str, bytes], None]
Workload: TypeAlias = Callable[[Store, str, Acknowledge], Awaitable[None]]

CHAINS = 20


class EarlyJournal(SqliteJournal):
    """The mistake the test must be able to see: told safe, committed later."""

    def _is_written_at_once(self) -> bool:
        return False

    def _write_here(self, loop: asyncio.AbstractEventLoop) -> None:
        self._promised = None
        self._ring()  # a loop that commits itself runs nothing in between

    def _settle(self, events: list[Event], waiters: list[Any], *, wait: bool) -> None:
        self._acknowledge(waiters)
        time.sleep(0.005)
        self._commit(events, wait)
        self._taken.clear()


async def journal_chains(store: Store, name: str, acknowledge: Acknowledge) -> None:
    """Endless chains of short steps, a finish and the next start in one commit."""
    journal = store.journal()

    async def chain(number: int) -> None:
        run, i = f"{name}c{number}", 0
        journal.emit(facts.run_started(run))
        journal.emit(facts.step_started(run, "s0"))
        journal.emit(facts.attempt_started(run, "s0"))
        await journal.durable()
        while True:
            await asyncio.sleep(random.random() * 0.004)
            output = f"{run}/{i} " * 30
            journal.emit(facts.attempt_finished(run, f"s{i}", text=output))
            journal.emit(facts.step_finished(run, f"s{i}", output))
            journal.emit(facts.step_started(run, f"s{i + 1}", output))
            journal.emit(facts.attempt_started(run, f"s{i + 1}", request=facts.request(output)))
            await journal.durable()
            acknowledge(f"s{i}", Value(output).hash)
            i += 1

    await asyncio.gather(*(chain(number) for number in range(CHAINS)))


@prompt("{{ text }}")
def say(text: str) -> str:
    return fill()


@chain
def ten(text: str) -> str:
    for _ in range(10):
        text = say(text)
    return text


async def engine_chains(store: Store, name: str, acknowledge: Acknowledge, chains: int = CHAINS) -> None:
    """Real chains in a real lab. A step is acknowledged when the next one is asked with its output."""

    async def reply(request: Request) -> str:
        text: str = request.messages[0]["content"]
        if "~" in request.step:
            number = int(request.step.split("~")[1]) - 1
            acknowledge("say" if number == 1 else f"say~{number}", Value(text).hash)
        await asyncio.sleep(random.random() * 0.004)
        return f"{text.split(' ')[0]} {request.step} " + "x" * 300

    lab = Lab(load_config(), store, ModelRegistry(load_config(), ScriptedBackend(reply)))

    async def endless(number: int) -> None:
        for k in itertools.count():
            await lab.run(ten, f"{name}.{number}.{k}")

    await asyncio.gather(*(endless(number) for number in range(chains)))


async def one_chain(store: Store, name: str, acknowledge: Acknowledge) -> None:
    """The same with one chain: its steps are committed at once."""
    await engine_chains(store, name, acknowledge, 1)


WORKLOADS: dict[str, Workload] = {"journal": journal_chains, "engine": engine_chains, "alone": one_chain}


def work(path: str, acks: str, name: str, *, early: bool, workload: Workload) -> None:
    """Run a workload on a database until somebody kills the process."""
    oracle = os.open(acks, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def acknowledge(step: str, output: bytes) -> None:
        os.write(oracle, f"{step} {output.hex()}\n".encode())

    store = Store.open(path)
    if early:
        store._journal = EarlyJournal(store.path)
    os.write(1, b"ready\n")
    asyncio.run(_run(workload, store, name, acknowledge))


async def _run(workload: Workload, store: Store, name: str, acknowledge: Acknowledge) -> None:
    await workload(store, name, acknowledge)


if __name__ == "__main__":
    workload, *words = sys.argv[4:]
    work(*sys.argv[1:4], early="early" in words, workload=WORKLOADS[workload])
