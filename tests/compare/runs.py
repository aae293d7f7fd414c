"""Runs for the comparison's tests: told to a store event by event, a fork among them. Knows events only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from chainlab.events import Event, StepFinished
from chainlab.store.store import Store
from chainlab.values.codec import Json, Value
from chainlab.values.ids import now_us
from tests.store import facts


def tell(store: Store, *events: Event) -> None:
    """Write events."""

    async def main() -> None:
        for event in events:
            store.journal().emit(event)
        await store.journal().durable()

    asyncio.run(main())


def ran(
    run: str, path: str, output: Json, *, key: str | None = None, value: Json = "in", **more: object
) -> Iterator[Event]:
    """A prompt step that ran: its start, one attempt, its end. `key` names its work; by default its path and value."""
    yield facts.step_started(run, path, value, reuse_key=keyed(key or f"{path} {value}"), **more)
    yield facts.attempt_started(run, path, request=facts.request(value))
    yield facts.attempt_finished(run, path, text=str(output))
    yield facts.step_finished(run, path, output, tokens_in=7, tokens_out=3)


def reused(
    run: str, path: str, output: Json, origin: str, *, key: str | None = None, value: Json = "in"
) -> Iterator[Event]:
    """A step whose output was taken over from another run."""
    yield facts.step_started(run, path, value, reuse_key=keyed(key or f"{path} {value}"))
    yield StepFinished(run, path, "reused", now_us(), 0, output=Value(output), origin_run_id=origin, origin_path=path)


def keyed(name: str) -> bytes:
    """A reuse key."""
    return Value(name).hash
