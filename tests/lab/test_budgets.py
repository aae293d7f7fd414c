"""Budgets: of a run, of a chain, of everything in it; stopping with what is done kept, and going on from there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from chainlab import (
    Budget,
    ConfigError,
    Edit,
    Lab,
    Request,
    Run,
    RunFailed,
    ScriptedBackend,
    chain,
    each,
    fill,
    prompt,
)
from chainlab.backends.chat import ServerSettings
from chainlab.backends.openai import OpenAIBackend
from tests.faults.clock import on_a_leaping_clock


@prompt("say {{ word }}")
def say(word: str) -> str:
    return fill()


@prompt("join {{ words }}")
def join(words: list[str]) -> str:
    return fill()


@chain
def sayings(words: list[str]) -> str:
    return join(each(words, say))


WORDS = ["a", "b", "c", "d"]


def code(run: Run[Any]) -> str | None:
    return run.failure.error.code if run.failure else None


def echo(request: Request) -> str:
    return str(request.messages[-1]["content"]).removeprefix("say ")


def test_calls_are_counted_before_they_are_made(tmp_path: Path) -> None:
    backend = ScriptedBackend(echo)
    with Lab.open(tmp_path / "t.db", default_model=backend, budget=Budget(max_calls=3)) as lab:
        run = lab.run_sync(sayings, words=WORDS)
        assert (run.status, code(run)) == ("failed", "budget-exceeded")
        assert len(backend.requests) == 3
        assert run.failure is not None
        assert (run.failure.error.expected, run.failure.error.got) == ("at most 3 calls", "3 made")
        assert "chainlab replay" in (run.failure.error.remedy or "")
    with Lab.open(tmp_path / "t.db", default_model=backend, budget=Budget(max_calls=3)) as lab:
        again = lab.replay_sync(run.id)
        assert again.status == "ok"
        assert len(backend.requests) == 5  # the fourth word and the end: what was done is not asked again


def test_as_many_calls_as_there_are_is_enough(tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(echo), budget=Budget(max_calls=5)) as lab:
        assert lab.run_sync(sayings, words=WORDS).status == "ok"


def test_tries_count_as_well(tmp_path: Path) -> None:
    @prompt("{{ word }}", retries=10)
    def number(word: str) -> int:
        return fill()

    backend = ScriptedBackend(lambda request: "no number")
    with Lab.open(tmp_path / "t.db", default_model=backend, budget=Budget(max_calls=4)) as lab:
        assert code(lab.run_sync(number, word="x")) == "budget-exceeded"
        assert len(backend.requests) == 4


@chain(budget=Budget(max_calls=2))
def few(words: list[str]) -> list[str]:
    return each(words, say)


@chain
def around(words: list[str]) -> tuple[str, list[str]]:
    return join(words), few(words)


def test_a_chain_has_a_budget_of_its_own_also_inside_another(tmp_path: Path) -> None:
    backend = ScriptedBackend(echo)
    with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
        assert lab.run_sync(around, words=["a", "b"]).status == "ok"
        backend.requests.clear()
        run = lab.run_sync(around, words=["a", "b", "c"])
        assert code(run) == "budget-exceeded"
        assert run.failure is not None and "few" in run.failure.error.message
        assert len(backend.requests) == 3


def test_what_is_around_is_kept_as_well(tmp_path: Path) -> None:
    backend = ScriptedBackend(echo)
    with Lab.open(tmp_path / "t.db", default_model=backend, budget=Budget(max_calls=1)) as lab:
        assert code(lab.run_sync(around, words=["a", "b"])) == "budget-exceeded"
        assert len(backend.requests) == 1


def test_the_settings_say_otherwise_for_a_chain_and_for_every_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chainlab.toml").write_text("[budget]\nmax_calls = 9\n[budgets.few]\nmax_calls = 3\n")
    monkeypatch.chdir(tmp_path)
    backend = ScriptedBackend(echo)
    with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
        assert lab.run_sync(few, words=["a", "b", "c"]).status == "ok"
        assert code(lab.run_sync(few, words=WORDS)) == "budget-exceeded"
        assert code(lab.run_sync(sayings, words=[str(number) for number in range(20)])) == "budget-exceeded"
    with Lab.open(tmp_path / "t.db", default_model=backend, budget=Budget(max_calls=30)) as lab:
        assert lab.run_sync(sayings, words=[str(number) for number in range(20)]).status == "ok"


def test_with_options(tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(echo)) as lab:
        assert code(lab.run_sync(sayings.with_(budget=Budget(max_calls=1)), words=WORDS)) == "budget-exceeded"


@pytest.mark.parametrize("bad", [{"max_calls": 0}, {"max_cost": -1.0}, {"deadline": float("inf")}, {"calls": 3}])
def test_a_budget_that_is_none(bad: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Budget(**bad)


# -- tokens and money --------------------------------------------------------------------------------------------------


def counting(request: httpx.Request) -> httpx.Response:
    """A server that takes 10 tokens in and 5 out for every call."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "said"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4}}
    return httpx.Response(200, json={"model": "m", "choices": [choice], "usage": usage})


def server(url: str = "http://models.test/v1") -> OpenAIBackend:
    return OpenAIBackend(
        ServerSettings(url, "hosted", default_model="m", concurrency=1), transport=httpx.MockTransport(counting)
    )


def test_tokens(tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=server(), budget=Budget(max_tokens=40)) as lab:
        run = on_a_leaping_clock(lab.run(sayings, words=WORDS))
        assert code(run) == "budget-exceeded"
        assert run.failure is not None and run.failure.error.got == "45 tokens used" or "45" in str(run.failure)
        trace = lab.reader.trace(run.id)
        assert trace is not None and (trace.run.tokens_in, trace.run.tokens_out) == (30, 15)


PRICES = '[prices."hosted:m"]\ninput = 1.0\noutput = 10.0\ncached = 0.5\n'
HOSTED = '[backends.hosted]\nkind = "openai"\nbase_url = "http://models.test/v1"\nconcurrency = 1\n'
ONE_CALL = (6 * 1.0 + 4 * 0.5 + 5 * 10.0) / 1_000_000


def open_priced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, budget: Budget | None = None) -> Lab:
    (tmp_path / "chainlab.toml").write_text(settings)
    monkeypatch.chdir(tmp_path)
    return Lab.open(tmp_path / "t.db", default_model=server(), budget=budget)


def test_money_by_the_prices_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget(max_cost=ONE_CALL * 2.5)
    with open_priced(tmp_path, monkeypatch, HOSTED + PRICES, budget) as lab:
        run = on_a_leaping_clock(lab.run(sayings, words=WORDS))
        assert code(run) == "budget-exceeded"
        trace = lab.reader.trace(run.id)
        assert trace is not None and trace.run.cost_nano == round(3 * ONE_CALL * 1e9)
        attempts = [attempt for step in trace.steps for attempt in lab.reader.step(run.id, step.path).attempts]  # type: ignore[union-attr]
        assert [attempt.cost_nano for attempt in attempts] == [round(ONE_CALL * 1e9)] * 3


def test_an_unknown_price_is_unknown_and_not_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_priced(tmp_path, monkeypatch, HOSTED) as lab:
        run = on_a_leaping_clock(lab.run(sayings, words=WORDS))
        trace = lab.reader.trace(run.id)
        assert (run.status, trace and trace.run.cost_nano) == ("ok", None)
    with open_priced(tmp_path, monkeypatch, HOSTED, Budget(max_cost=1)) as lab:
        with pytest.raises(ConfigError) as refused:
            on_a_leaping_clock(lab.run(sayings, words=WORDS))
        assert refused.value.code == "unknown-price"
        assert '[prices."hosted:m"]' in (refused.value.remedy or "")


# -- time --------------------------------------------------------------------------------------------------------------


async def slowly(request: Request) -> str:
    await asyncio.sleep(10)
    return echo(request)


def test_a_deadline_ends_the_run_where_it_is(tmp_path: Path) -> None:
    backend = ScriptedBackend(slowly)
    backend.concurrency = 1
    with Lab.open(tmp_path / "t.db", default_model=backend, budget=Budget(deadline=25)) as lab:

        async def timed() -> tuple[Run[Any], float]:
            began = asyncio.get_running_loop().time()
            run = await lab.run(sayings, words=WORDS)
            return run, asyncio.get_running_loop().time() - began

        run, took = on_a_leaping_clock(timed())
        assert (run.status, code(run), round(took)) == ("failed", "deadline-exceeded", 25)
        assert [step.status for path, step in run.steps.items() if path.startswith("say")] == [
            "ok", "ok", "cancelled", "cancelled",
        ]  # fmt: skip
        with pytest.raises(RunFailed):
            run.raise_for_status()


def test_a_chains_deadline(tmp_path: Path) -> None:
    @chain(budget=Budget(deadline=15))
    def hurried(words: list[str]) -> list[str]:
        return each(words, say)

    backend = ScriptedBackend(slowly)
    backend.concurrency = 1
    with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
        run = on_a_leaping_clock(lab.run(hurried, words=WORDS))
        assert code(run) == "deadline-exceeded"


# -- before anything runs ----------------------------------------------------------------------------------------------


def test_a_plan_says_about_what_it_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edits = [Edit(step="say", template="tell {{ word }}")]
    with open_priced(tmp_path, monkeypatch, HOSTED + PRICES) as lab:
        run = on_a_leaping_clock(lab.run(sayings, words=WORDS))
        plan = lab.plan_backtest(edits, runs=[run.id])
        without_cache = (10 * 1.0 + 5 * 10.0) / 1_000_000  # what a provider has in its cache by then, nobody knows
        assert plan.cost_nano == round(5 * without_cache * 1e9)
    with open_priced(tmp_path, monkeypatch, HOSTED) as lab:
        assert lab.plan_backtest(edits, runs=[run.id]).cost_nano is None
