"""`n` replies of a prompt as a typed list: one call where the backend can, several where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from chainlab import Lab, Request, ScriptedBackend, chain, each, fill, prompt
from chainlab.backends.chat import ServerSettings
from chainlab.backends.openai import OpenAIBackend
from tests.faults.clock import on_a_leaping_clock


class Idea(BaseModel):
    title: str


@prompt("ideas for {{ word }}", n=3, seed=5)
def ideas(word: str) -> list[Idea]:
    return fill()


@prompt("polish {{ idea.title }}")
def polish(idea: Idea) -> str:
    return fill()


@chain
def polished(word: str) -> list[str]:
    return each(ideas(word), polish)


def test_they_are_a_list_that_a_chain_goes_on_with(tmp_path: Path) -> None:
    backend = ScriptedBackend(
        lambda request: (
            Idea(title=f"idea {request.seed}") if request.step == "ideas" else request.messages[-1]["content"]
        )
    )
    with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
        run = lab.run_sync(polished, word="x")
        assert run.output == ["polish idea 5", "polish idea 6", "polish idea 7"]
        step = lab.reader.step(run.id, "ideas")
        assert step is not None
        assert [attempt.reason for attempt in step.attempts] == ["first", "sample", "sample"]
    assert [request.seed for request in backend.requests[:3]] == [5, 6, 7]  # else they would be the same


def test_one_that_does_not_fit_is_asked_for_again_and_the_others_are_kept(tmp_path: Path) -> None:
    replies: list[Any] = [Idea(title="a"), "no idea", Idea(title="b"), Idea(title="c")]
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda request: replies.pop(0))) as lab:
        run = lab.run_sync(ideas, word="x")
        assert [idea.title for idea in run.output] == ["a", "b", "c"]


def test_too_many_that_do_not_fit_fail_the_step(tmp_path: Path) -> None:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda request: "no idea")) as lab:
        run = lab.run_sync(ideas, word="x")
        assert run.failure is not None and run.failure.error.code == "output-invalid"


def served(texts: list[list[str]], db: Path, what: Any = ideas) -> tuple[Any, list[Any], Any]:
    """Run it on a server that gives these replies, call by call."""
    import json

    bodies: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        choices = [
            {"index": index, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            for index, text in enumerate(texts.pop(0))
        ]
        return httpx.Response(
            200, json={"model": "m", "choices": choices, "usage": {"prompt_tokens": 9, "completion_tokens": 6}}
        )

    async def work() -> Any:
        settings = ServerSettings("http://models.test/v1", "hosted", default_model="m")
        backend = OpenAIBackend(settings, transport=httpx.MockTransport(answer))
        async with Lab.open(db, default_model=backend) as lab:
            run = await lab.run(what, word="x")
            return run, lab.reader.step(run.id, next(iter(run.steps)))

    run, step = on_a_leaping_clock(work())
    return run, bodies, step


def test_a_server_that_can_is_asked_once(tmp_path: Path) -> None:
    texts = [[f'{{"title": "{letter}"}}' for letter in "abc"]]
    run, bodies, step = served(texts, tmp_path / "t.db")
    assert [idea.title for idea in run.output] == ["a", "b", "c"]
    assert [body["n"] for body in bodies] == [3]
    assert (step.summary.tokens_in, step.summary.tokens_out) == (9, 6)


def test_and_again_for_what_is_missing(tmp_path: Path) -> None:
    texts = [['{"title": "a"}', "no", '{"title": "b"}'], ['{"title": "c"}']]
    run, bodies, step = served(texts, tmp_path / "t.db")
    assert [idea.title for idea in run.output] == ["a", "b", "c"]
    assert [body.get("n", 1) for body in bodies] == [3, 1]
    assert [attempt.reason for attempt in step.attempts] == ["first", "validation"]


def test_a_server_that_gives_fewer_is_asked_for_the_rest(tmp_path: Path) -> None:
    @prompt("names for {{ word }}", n=3)
    def names(word: str) -> list[str]:
        return fill()

    run, bodies, _ = served([["a"], ["b"], ["c"]], tmp_path / "t.db", names)
    assert run.output == ["a", "b", "c"]
    assert [body.get("n", 1) for body in bodies] == [3, 2, 1]


@pytest.mark.parametrize("more", [["a", "b", "c", "d", "e"]])
def test_what_is_more_is_left(more: list[str], tmp_path: Path) -> None:
    @prompt("names for {{ word }}", n=3)
    def names(word: str) -> list[str]:
        return fill()

    run, _, _ = served([more], tmp_path / "t.db", names)
    assert run.output == ["a", "b", "c"]


def test_requests_say_how_many(tmp_path: Path) -> None:
    seen: list[Request] = []

    def reply(request: Request) -> Idea:
        seen.append(request)
        return Idea(title="x")

    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(reply)) as lab:
        lab.run_sync(ideas, word="x").raise_for_status()
    assert [request.n for request in seen] == [1, 1, 1]
