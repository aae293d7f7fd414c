"""Several models for a step: the next where one fails; who answered is recorded, and is part of the reuse key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chainlab import ConfigError, Lab, Run, chain, fill, prompt
from chainlab.backends.chat import ServerSettings
from chainlab.backends.openai import OpenAIBackend
from chainlab.trace import StepTrace
from tests.faults.clock import on_a_leaping_clock
from tests.faults.server import Call, serving
from tests.patience import turns_until

Work = Callable[[Lab], Awaitable[Any]]


@prompt("say {{ word }}", model=["first:a", "second:b"], retries=0)
def say(word: str) -> str:
    return fill()


@prompt("count {{ word }}", model=["first:a", "second:b"], retries=0)
def count(word: str) -> int:
    return fill()


@chain
def saying(word: str) -> str:
    return say(word)


@dataclass
class Model:
    """A server with one model, and how it answers: text, or a status."""

    answers: Any
    calls: list[Call] = field(default_factory=list)

    async def __call__(self, call: Call) -> None:
        self.calls.append(call)
        if isinstance(self.answers, int):
            await call.whole({"error": {"message": "no"}}, self.answers)
            return
        choice = {"index": 0, "message": {"role": "assistant", "content": self.answers}, "finish_reason": "stop"}
        await call.whole({"model": "m", "choices": [choice]})


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Model, Model, Work], Any]:
    """A lab with two servers, and what is done in it."""
    monkeypatch.chdir(tmp_path)

    def run(first: Model, second: Model, work: Work, kind: str = "openai") -> Any:
        async def all_of_it() -> Any:
            async with serving(first) as one, serving(second) as other:
                tables = [
                    f'[backends.{name}]\nkind = "{kind}"\nbase_url = "{server.url}"\n'
                    for name, server in (("first", one), ("second", other))
                ]
                (tmp_path / "chainlab.toml").write_text("".join(tables))
                async with Lab.open(tmp_path / "t.db") as lab:
                    return await work(lab)

        return on_a_leaping_clock(all_of_it())

    return run


def step_of(lab: Lab, run: Run[Any], path: str) -> StepTrace:
    step = lab.reader.step(run.id, path)
    assert step is not None
    return step


@pytest.mark.parametrize(("status", "tries"), [(503, 4), (401, 1), (402, 1)])
def test_the_second_answers_where_the_first_fails(status: int, tries: int, two: Any) -> None:
    async def work(lab: Lab) -> None:
        run = await lab.run(saying, word="x")
        step = step_of(lab, run, "say")
        assert (run.status, run.output) == ("ok", "said")
        assert [attempt.backend for attempt in step.attempts] == ["first"] * tries + ["second"]
        assert step.attempts[-1].reason == "fallback"
        assert (step.summary.model, step.summary.backend) == ("second:b", "second")

    two(Model(status), Model("said"), work)


def test_a_wrong_request_is_not_asked_elsewhere(two: Any) -> None:
    second = Model("said")

    async def work(lab: Lab) -> None:
        run = await lab.run(saying, word="x")
        assert run.failure is not None and run.failure.error.code == "bad-request"

    two(Model(422), second, work)
    assert second.calls == []


def test_what_does_not_fit_is_not_asked_elsewhere(two: Any) -> None:
    first, second = Model("many"), Model("3")

    async def work(lab: Lab) -> None:
        run = await lab.run(count, word="x")
        assert run.failure is not None and run.failure.error.code == "output-invalid"

    two(first, second, work)
    assert second.calls == []


def test_when_all_fail_the_error_is_the_lasts(two: Any) -> None:
    async def work(lab: Lab) -> None:
        run = await lab.run(saying, word="x")
        assert run.failure is not None and run.failure.error.code == "auth-failed"
        assert len(step_of(lab, run, "say").attempts) == 5

    two(Model(503), Model(401), work)


def test_a_model_that_cannot_be_made_ready_is_passed_over(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is a vLLM that does not serve the model: its call fails, and the second answers."""

    @prompt("say {{ word }}", model=["vllm:nobody", "second:b"])
    def careful(word: str) -> str:
        return fill()

    async def work(lab: Lab) -> None:
        run = await lab.run(careful, word="x")
        assert run.output == "said"

    two(Model(503), Model("said"), work)


def test_none_of_them_configured(two: Any) -> None:
    @prompt("say {{ word }}", model=["nowhere:a", "second:b"])
    def astray(word: str) -> str:
        return fill()

    async def work(lab: Lab) -> None:
        with pytest.raises(ConfigError, match="nowhere"):
            await lab.run(astray, word="x")

    two(Model("said"), Model("said"), work)


def test_a_replay_reuses_what_the_second_said(two: Any) -> None:
    first, second = Model(503), Model("said")

    async def work(lab: Lab) -> None:
        run = await lab.run(saying, word="x")
        before = len(first.calls), len(second.calls)
        again = await lab.replay(run.id)
        assert (again.output, again.steps["say"].status) == ("said", "reused")
        assert (len(first.calls), len(second.calls)) == before

    two(first, second, work)


def test_a_refused_key_is_not_tried_by_every_step(two: Any) -> None:
    first, second = Model(401), Model("said")

    @chain
    def thrice(word: str) -> tuple[str, str, str]:
        one = say(word)
        two_ = say(one)
        return one, two_, say(two_)

    async def work(lab: Lab) -> None:
        run = await lab.run(thrice, word="x")
        assert run.status == "ok"

    two(first, second, work)
    assert (len(first.calls), len(second.calls)) == (1, 3)


def test_a_cancelled_run_closes_its_connections_within_a_second(tmp_path: Path) -> None:
    async def work() -> None:
        async def never(call: Call) -> None:
            await call.head(200, "text/event-stream", "connection: close")
            await call.write(b'data: {"choices": [{"index": 0, "delta": {"content": "on"}}]}\n\n')
            await call.gone.wait()

        async with serving(never) as server:
            backend = OpenAIBackend(ServerSettings(server.url, "hosted", default_model="m"))
            async with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
                task = asyncio.create_task(lab.run(saying, word="x"))
                await turns_until(lambda: server.calls, "a call")
                task.cancel()
                async with asyncio.timeout(1):
                    await server.calls[0].gone.wait()
                with pytest.raises(asyncio.CancelledError):
                    await task
                (run,) = lab.runs()
                assert run.status == "cancelled"

    asyncio.run(work())
