"""Every fault, plain and streamed, at the first, middle and last step of a chain: well, or the one error it must be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from chainlab import Lab, chain, fill, prompt
from chainlab.backends.chat import ServerSettings
from chainlab.backends.openai import OpenAIBackend
from chainlab.messages import Chunk, Request, Response
from tests.faults.clock import on_a_leaping_clock
from tests.faults.faults import BOTH, GOOD, PLAIN, STREAMED, Fault, well
from tests.faults.server import Call, Server, serving

STEPS = ("first", "middle", "last")


class Number(BaseModel):
    value: int


@prompt("first: {{ text }}")
def first(text: str) -> Number:
    return fill()


@prompt("middle: {{ number.value }}")
def middle(number: Number) -> Number:
    return fill()


@prompt("last: {{ number.value }}")
def last(number: Number) -> Number:
    return fill()


@chain
def numbers(text: str) -> Number:
    return last(middle(first(text)))


class Plainly(OpenAIBackend):
    """The same, never streamed."""

    async def send(self, request: Request, on_chunk: Callable[[Chunk], None] | None = None) -> Response:
        return await super().send(request, None)


def cases() -> list[Any]:
    found = [(fault, kind) for kind in (Plainly, OpenAIBackend) for fault in BOTH]
    found += [(fault, Plainly) for fault in PLAIN] + [(fault, OpenAIBackend) for fault in STREAMED]
    return [pytest.param(fault, kind, id=f"{_mode(kind)}: {fault.name}") for fault, kind in found]


def _mode(kind: type[OpenAIBackend]) -> str:
    return "plain" if kind is Plainly else "streamed"


def test_there_are_enough_faults() -> None:
    faulty = [fault for fault in (*BOTH, *PLAIN, *STREAMED) if fault.code]
    assert len(faulty) >= 35
    assert len({fault.name for fault in BOTH}) == len(BOTH)


@pytest.mark.parametrize(("fault", "kind"), cases())
def test_a_fault_ends_in_success_or_its_one_error(fault: Fault, kind: type[OpenAIBackend], tmp_path: Path) -> None:
    on_a_leaping_clock(_all_positions(fault, kind, tmp_path / "t.db"))


async def _all_positions(fault: Fault, kind: type[OpenAIBackend], database: Path) -> None:
    done = 0

    async def answer(call: Call) -> None:
        nonlocal done
        at_fault = call.step == where and not (fault.once and done)
        done += call.step == where
        await (fault.act if at_fault else well)(call)

    async with serving(answer) as server:
        for where in STEPS:
            done = 0
            server.calls.clear()
            backend = kind(ServerSettings(server.url, "local", default_model="m"), structured="json_schema")
            async with Lab.open(database, default_model=backend) as lab:
                began = asyncio.get_running_loop().time()
                run = await lab.run(numbers, text="x")
                took = asyncio.get_running_loop().time() - began
                _check(lab, run.id, run, fault, where, server)
            assert took <= fault.wait + 10, "it hung past its clocks"


def _check(lab: Lab, run_id: str, run: Any, fault: Fault, where: str, server: Server) -> None:
    at = STEPS.index(where)
    sent = [server.count(step) for step in STEPS]
    if not fault.code:
        assert (run.status, run.failure) == ("ok", None)
        assert run.output.value == GOOD["value"]
        assert sent == [fault.requests if step == where else 1 for step in STEPS]
    else:
        assert (run.status, run.failure.path, run.failure.error.code) == ("failed", where, fault.code)
        assert sent == [1] * at + [fault.requests] + [0] * (2 - at)
        assert run.failure.error.message and run.failure.error.remedy
    # the trace, as a reader has it
    trace = lab.reader.trace(run_id)
    assert trace is not None and trace.run.status == run.status
    states = {step.path: step.status for step in trace.steps}
    failed = fault.code != ""
    assert states == {
        step: "ok" if index < at or not failed else "failed" if index == at else "skipped"
        for index, step in enumerate(STEPS)
    }
    step = lab.reader.step(run_id, where)
    assert step is not None
    assert [attempt.n for attempt in step.attempts] == list(range(1, fault.requests + 1))
    for attempt in step.attempts:
        assert attempt.status == ("ok" if attempt is step.attempts[-1] and not failed else "failed")
        assert attempt.messages and attempt.duration_us is not None and attempt.duration_us >= 0
        assert (attempt.error is None) == (attempt.status == "ok")
        assert attempt.error is None or attempt.error.code not in ("backend-error", "error")
    json.dumps([attempt.parameters for attempt in step.attempts])
