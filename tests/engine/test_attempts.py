"""One step's tries: validation with feedback, transport, timeouts, failing Python, cancelling."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from chainlab import ChainError, Lab, Request, RunFailed, chain, each, fill, prompt, step
from chainlab.errors import BackendError
from tests.patience import LIMIT_S, turns_until, until

Open = Callable[[Callable[[Request], Any]], Lab]


class Score(BaseModel):
    value: int

    @field_validator("value")
    @classmethod
    def small(cls, value: int) -> int:
        if value > 10:
            raise ValueError("must be at most 10")
        return value


@prompt("score {{ text }}", retries=2)
def score(text: str) -> Score:
    return fill()


@prompt("score {{ text }}", feedback="WRONG {{ errors | length }} {{ reply }}")
def own_words(text: str) -> Score:
    return fill()


@prompt("wait {{ text }}", timeout=0.05)
def hurried(text: str) -> str:
    return fill()


@prompt("say {{ text }}")
def say(text: str) -> str:
    return fill()


released = threading.Event()


@step(timeout=0.05)
def stuck(text: str) -> str:
    released.wait()
    return text


@step
def stuck_long(text: str) -> str:
    released.wait()
    return text


@step
def broken(text: str) -> int:
    return len(text) // 0


@step
def liar(text: str) -> int:
    return text  # type: ignore[return-value]


@step
async def awaited(text: str, /, *, suffix: str = "!") -> str:
    await asyncio.sleep(0)
    return text + suffix


@pytest.fixture
def holding() -> Iterator[None]:
    """Until the test is over, a stuck step never ends by itself."""
    released.clear()
    yield
    released.set()


def test_a_reply_that_does_not_fit_is_sent_back_with_the_error(open_lab: Open) -> None:
    replies = iter(["nonsense", '{"value": 99}', '{"value": 3}'])
    lab = open_lab(lambda r: next(replies))
    run = lab.run_sync(score, "t")
    assert run.output == Score(value=3)
    trace = lab.reader.step(run.id, "score")
    assert trace is not None
    assert [(a.reason, a.status) for a in trace.attempts] == [
        ("first", "failed"), ("validation", "failed"), ("validation", "ok")
    ]  # fmt: skip
    last = trace.attempts[-1].messages
    assert [message.role for message in last] == ["user", "assistant", "user", "assistant", "user"]
    assert "must be at most 10" in "".join(segment.text for segment in last[-1].segments)
    assert trace.attempts[0].reply_text == "nonsense"


def test_feedback_words_are_the_authors_to_choose(open_lab: Open) -> None:
    seen: list[Any] = []

    def reply(request: Request) -> Any:
        seen.append(request.messages[-1]["content"])
        return '{"value": 1}' if len(seen) > 1 else "no"

    open_lab(reply).run_sync(own_words, "t").raise_for_status()
    assert seen[1] == "WRONG 1 no"


def test_after_the_last_retry_the_error_says_what_was_wanted_and_got(open_lab: Open) -> None:
    run = open_lab(lambda r: '{"value": "many"}').run_sync(score, "t")
    with pytest.raises(RunFailed) as caught:
        run.raise_for_status()
    error = caught.value
    assert (error.path, error.code, error.attempt, error.expected) == ("score", "output-invalid", 3, "Score")
    assert error.file == __file__
    assert len(str(error).splitlines()) <= 10
    assert run.id in str(error)


def test_fenced_json_is_read_and_bare_text_fits_a_literal(open_lab: Open) -> None:
    assert open_lab(lambda r: '```json\n{"value": 2}\n```').run_sync(score, "t").output == Score(value=2)


def test_transport_failures_are_tried_again_and_counted_apart(open_lab: Open) -> None:
    count = 0

    def reply(request: Request) -> Any:
        nonlocal count
        count += 1
        return BackendError("busy", code="unavailable", retryable=True) if count < 3 else '{"value": 1}'

    lab = open_lab(reply)
    backend = lab.models.resolve(None).backend
    backend.transport_retries = 3  # type: ignore[attr-defined]
    run = lab.run_sync(score, "t")
    assert run.output == Score(value=1)
    trace = lab.reader.step(run.id, "score")
    assert trace is not None
    assert [a.reason for a in trace.attempts] == ["first", "transport", "transport"]


def test_a_step_that_takes_too_long_times_out(open_lab: Open) -> None:
    async def reply(request: Request) -> Any:
        await asyncio.Event().wait()

    run = open_lab(reply).run_sync(hurried, "t")
    assert run.failure is not None and run.failure.error.code == "timeout"


@pytest.mark.usefixtures("holding")
def test_a_stuck_python_step_is_abandoned(open_lab: Open) -> None:
    run = open_lab(lambda r: "x").run_sync(stuck, "t")
    assert run.failure is not None and run.failure.error.code == "timeout"
    assert not released.is_set()


def test_an_exception_in_a_python_step_is_recorded_at_its_line(open_lab: Open) -> None:
    run = open_lab(lambda r: "x").run_sync(broken, "t")
    assert run.failure is not None
    error = run.failure.error
    assert (error.code, error.file) == ("step-raised", __file__)
    with open(__file__) as source:
        assert "// 0" in source.read().splitlines()[(error.line or 1) - 1]


def test_a_python_step_is_held_to_its_annotation(open_lab: Open) -> None:
    run = open_lab(lambda r: "x").run_sync(liar, "t")
    assert run.failure is not None and run.failure.error.code == "output-invalid"


def test_async_steps_with_every_kind_of_parameter_run(open_lab: Open) -> None:
    assert open_lab(lambda r: "x").run_sync(awaited, "a", suffix="?").output == "a?"


def test_wrong_run_inputs_write_no_row(open_lab: Open) -> None:
    lab = open_lab(lambda r: "x")
    wrong: list[tuple[tuple[Any, ...], dict[str, Any]]] = [((3,), {}), ((), {}), ((), {"txt": "a"})]
    for args, kwargs in wrong:
        with pytest.raises(ChainError) as caught:
            lab.run_sync(say, *args, **kwargs)
        assert caught.value.code == "run-input"
    assert lab.reader.runs() == ()


@pytest.mark.usefixtures("holding")
def test_a_cancelled_run_is_written_as_cancelled_and_waits_for_no_step(open_lab: Open) -> None:
    @chain
    def both(text: str) -> list[str]:
        return [say(text), stuck_long(text)]

    async def reply(request: Request) -> Any:
        await asyncio.Event().wait()

    lab = open_lab(reply)

    def running() -> bool:
        row = next(iter(lab.reader.runs()), None)
        trace = lab.reader.trace(row.id) if row else None
        return trace is not None and [step.status for step in trace.steps] == ["running", "running"]

    async def main() -> None:
        task = asyncio.create_task(lab.run(both, "t"))
        await turns_until(running, "both steps at work")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, LIMIT_S)  # neither step ends by itself

    asyncio.run(main())
    until(lambda: lab.reader.runs()[0].status == "cancelled", "the row of the cancelled run")  # a slow disk may lag
    trace = lab.reader.trace(lab.reader.runs()[0].id)
    assert trace is not None
    assert {step.status for step in trace.steps} == {"cancelled"}
    assert not released.is_set()


@prompt("{{ s }}")
def ask(s: str) -> str:
    return fill()


@chain
def asks(xs: list[str]) -> list[str]:
    return each(xs, lambda x: ask(x))


@pytest.mark.parametrize("turns", range(12))
def test_a_cancelled_run_leaves_no_row_open(open_lab: Open, turns: int) -> None:
    """Whenever the cancelling comes: before a step's work has begun, while it waits for the store, or for a model."""

    async def never(request: Request) -> str:
        await asyncio.Event().wait()
        return ""

    lab = open_lab(never)

    async def main() -> None:
        task = asyncio.create_task(lab.run(asks, ["a", "b"]))
        await turns_until(lab.reader.runs, "the run's row")
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    with sqlite3.connect(lab.store.path) as connection:
        for table in ("runs", "steps", "attempts"):
            found = {status for (status,) in connection.execute(f"SELECT status FROM {table}")}
            assert found <= {"cancelled"}, table
    connection.close()


def test_a_loop_that_ends_at_any_moment_of_a_run_leaves_no_work_that_was_never_begun(open_lab: Open) -> None:
    async def slow(request: Request) -> str:
        await asyncio.sleep(LIMIT_S)
        return ""

    lab = open_lab(slow)

    async def main(turns: int) -> None:
        task = asyncio.create_task(lab.run(asks, ["a", "b", "c"]))
        for _ in range(turns):
            await asyncio.sleep(0)
        assert not task.done()  # and now everything that is under way is cancelled at once, begun or not

    for turns in range(12):
        asyncio.run(main(turns))
    gc.collect()  # a coroutine that was never awaited says so now, and a warning is an error


def test_an_undefined_value_fails_the_step_and_says_where(open_lab: Open) -> None:
    @prompt("{{ data.b.c }}")
    def deep(data: dict[str, Any]) -> str:
        return fill()

    run = open_lab(lambda r: "x").run_sync(deep, {"a": 1})
    assert run.failure is not None and run.failure.error.code == "template-value"


def test_no_more_calls_are_in_flight_than_the_backend_allows(open_lab: Open) -> None:
    from chainlab import each

    @chain
    def many(texts: list[str]) -> list[str]:
        return each(texts, say)

    now = most = 0
    three = asyncio.Event()

    async def reply(request: Request) -> Any:
        nonlocal now, most
        now += 1
        most = max(most, now)
        if now == 3:
            three.set()
        await asyncio.wait_for(three.wait(), LIMIT_S)
        await asyncio.sleep(0.01)  # a fourth, if it may, comes in now
        now -= 1
        return "x"

    lab = open_lab(reply)
    lab.models.resolve(None).backend.concurrency = 3  # type: ignore[misc]
    run = lab.run_sync(many, [str(n) for n in range(10)])
    assert len(run.output) == 10
    assert most == 3
    trace = lab.reader.step(run.id, "say[9]")
    assert trace is not None and trace.summary.queue_us
