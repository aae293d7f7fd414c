"""The gate to a backend: places, calls and tokens in any minute, pauses for everybody, the budget of retries."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from chainlab import Lab, chain, each, fill, prompt
from chainlab.backends.chat import ServerSettings
from chainlab.backends.openai import OpenAIBackend
from chainlab.engine.gate import Gate
from chainlab.protocols import Limits
from tests.faults.clock import on_a_leaping_clock
from tests.faults.server import Call, serving
from tests.patience import on_a_still_clock


async def _times(gate: Gate, calls: int, takes: float, tokens: int = 0) -> list[float]:
    """When calls begin that all come at once."""
    loop = asyncio.get_running_loop()
    began: list[float] = []

    async def call() -> None:
        if not gate.take(tokens):
            await gate.place(tokens)
        began.append(loop.time())
        await asyncio.sleep(takes)
        gate.give()

    await asyncio.gather(*(call() for _ in range(calls)))
    return began


def test_places() -> None:
    async def work() -> list[float]:
        return await _times(Gate(2), 5, 10)

    assert on_a_still_clock(work()) == [0, 0, 10, 10, 20]


def test_calls_in_any_minute() -> None:
    async def work() -> list[float]:
        return await _times(Gate(100, Limits(requests_per_minute=2)), 5, 1)

    assert on_a_still_clock(work()) == [0, 0, 60, 60, 120]


def test_tokens_in_any_minute() -> None:
    async def work() -> list[float]:
        return await _times(Gate(100, Limits(tokens_per_minute=100)), 5, 1, tokens=40)

    assert on_a_still_clock(work()) == [0, 0, 60, 60, 120]


def test_tokens_that_were_not_expected_count_as_well() -> None:
    async def work() -> float:
        gate = Gate(100, Limits(tokens_per_minute=100))
        assert gate.take(10)
        gate.used(10, 100)
        gate.give()
        await gate.place(10)
        return asyncio.get_running_loop().time()

    assert on_a_still_clock(work()) == 60


def test_one_that_alone_is_more_than_the_limit_goes_when_nothing_else_has() -> None:
    async def work() -> list[float]:
        return await _times(Gate(100, Limits(tokens_per_minute=100)), 2, 1, tokens=500)

    assert on_a_still_clock(work()) == [0, 60]


def test_first_come_first_served() -> None:
    async def work() -> list[int]:
        gate, order = Gate(1), []

        async def call(number: int) -> None:
            if not gate.take():
                await gate.place()
            order.append(number)
            await asyncio.sleep(1)
            gate.give()

        await asyncio.gather(*(call(number) for number in range(6)))
        return order

    assert on_a_still_clock(work()) == list(range(6))


def test_who_is_cancelled_while_waiting_leaves_its_turn_to_the_next() -> None:
    async def work() -> bool:
        gate = Gate(1)
        assert gate.take()
        first, second = (asyncio.create_task(gate.place()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        gate.give()
        await asyncio.wait_for(second, 1)
        gate.give()
        return gate.take()

    assert on_a_still_clock(work())


def test_a_pause_holds_for_everybody() -> None:
    async def work() -> list[float]:
        gate = Gate(10)
        gate.pause(30)
        return await _times(gate, 3, 1)

    assert on_a_still_clock(work()) == [30, 30, 30]


def test_retries_are_a_share_of_the_calls() -> None:
    async def work() -> tuple[int, int]:
        gate = Gate(1000)
        first = sum(gate.may_retry() for _ in range(100))
        for _ in range(50):
            gate.take()
        return first, sum(gate.may_retry() for _ in range(100))

    assert on_a_still_clock(work()) == (10, 10)


# -- with a server -----------------------------------------------------------------------------------------------------


@prompt("say {{ word }}")
def say(word: str) -> str:
    return fill()


@chain
def sayings(words: list[str]) -> list[str]:
    return each(words, say)


def _reply(text: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"model": "m", "choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}


def test_one_429_pauses_every_step_of_the_backend(tmp_path: Path) -> None:
    async def work() -> tuple[Any, list[float]]:
        loop = asyncio.get_running_loop()
        came: list[float] = []

        async def answer(call: Call) -> None:
            came.append(loop.time())
            if len(came) == 1:
                await call.whole({"error": {"message": "slow down"}}, 429, "retry-after: 20")
            else:
                await call.whole(_reply("said"))

        async with serving(answer) as server:
            backend = OpenAIBackend(ServerSettings(server.url, "hosted", default_model="m", concurrency=2))
            async with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
                run = await lab.run(sayings, words=list("abcdef"))
                return run, [time - came[0] for time in came]

    run, came = on_a_leaping_clock(work())
    assert run.status == "ok"
    assert len(came) == 7
    assert came[1] < 1  # the other place was taken before the answer
    assert all(19.5 < time < 25 for time in came[2:])


def test_a_server_that_is_down_is_not_asked_four_times_as_often(tmp_path: Path) -> None:
    asked = 0

    def down(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(503, json={"error": {"message": "down"}})

    async def work() -> int:
        settings = ServerSettings("http://models.test/v1", "hosted", default_model="m", concurrency=50)
        backend = OpenAIBackend(settings, transport=httpx.MockTransport(down))
        async with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
            await asyncio.gather(*(lab.run(say, word=str(number)) for number in range(100)))
        return asked

    calls = on_a_leaping_clock(work())
    assert 110 <= calls <= 138  # a hundred, ten, and one for five (retries are calls, too); not four hundred


@pytest.mark.parametrize(
    ("limit", "steps", "least"), [("requests_per_minute = 3", 7, 120), ("tokens_per_minute = 45", 7, 120)]
)
def test_the_limits_of_the_settings(
    limit: str, steps: int, least: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def work() -> tuple[str, float]:
        async def answer(call: Call) -> None:
            await call.whole(_reply("said"))

        async with serving(answer) as server:
            (tmp_path / "chainlab.toml").write_text(
                f'default_model = "hosted:m"\n[backends.hosted]\nkind = "openai"\nbase_url = "{server.url}"\n'
                f"concurrency = 1\n{limit}\n"
            )
            async with Lab.open(tmp_path / "t.db") as lab:
                began = asyncio.get_running_loop().time()
                run = await lab.run(sayings, words=[str(number) for number in range(steps)])
                return run.status, asyncio.get_running_loop().time() - began

    status, took = on_a_leaping_clock(work())
    assert (status, least <= took < least + 30) == ("ok", True), took
