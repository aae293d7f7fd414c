"""Results that are kept across runs: found by everything that was sent, linked to where they were made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chainlab import Edit, Lab, Request, Run, ScriptedBackend, chain, each, fill, prompt
from chainlab.store.delete import delete_runs


@prompt("say {{ word }}", cache=True, temperature=0.5)
def say(word: str) -> str:
    return fill()


@chain
def saying(word: str) -> str:
    return say(word)


class Counter:
    """Answers with how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, request: Request) -> str:
        self.asked += 1
        return f"answer {self.asked}"


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def lab(tmp_path: Path, counter: Counter) -> Any:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(counter)) as lab:
        yield lab


def test_the_same_request_is_sent_once(lab: Lab, counter: Counter) -> None:
    first, second, other = (lab.run_sync(saying, word=word) for word in ("a", "a", "b"))
    assert (first.output, second.output, other.output) == ("answer 1", "answer 1", "answer 2")
    assert (first.steps["say"].status, second.steps["say"].status) == ("ok", "cached")
    step = lab.reader.step(second.id, "say")
    assert step is not None and step.attempts == ()
    assert (step.summary.origin_run_id, step.summary.origin_path) == (first.id, "say")
    trace = lab.reader.trace(second.id)
    assert trace is not None and trace.run.steps_reused == 1


def test_it_is_there_for_another_lab(tmp_path: Path) -> None:
    for number in range(2):
        counter = Counter()
        with Lab.open(tmp_path / "shared.db", default_model=ScriptedBackend(counter)) as lab:
            assert lab.run_sync(saying, word="a").output == "answer 1"
        assert counter.asked == (1 if number == 0 else 0)


def _with(**options: Any) -> Any:
    @prompt("say {{ word }}", **{"cache": True, "temperature": 0.5, **options}, name="say")
    def say(word: str) -> str:
        return fill()

    return say


@pytest.mark.parametrize(
    "options",
    [{"temperature": 0.6}, {"seed": 1}, {"max_tokens": 5}, {"system": "Be brief."}, {"stop": ["x"]}, {"top_p": 0.5},
     {"logprobs": True}, {"model": "other"}],
    ids=lambda options: next(iter(options)),
)  # fmt: skip
def test_everything_that_is_sent_counts(options: dict[str, Any], lab: Lab, counter: Counter) -> None:
    lab.run_sync(_with(), word="a")
    lab.run_sync(_with(), word="a")
    assert counter.asked == 1
    lab.run_sync(_with(**options), word="a")
    assert counter.asked == 2


def test_the_type_counts_and_the_steps_name_does_not(lab: Lab, counter: Counter) -> None:
    @prompt("say {{ word }}", cache=True, temperature=0.5)
    def other_name(word: str) -> str:
        return fill()

    @prompt("say {{ word }}", cache=True, temperature=0.5, n=2)
    def two(word: str) -> list[str]:
        return fill()

    lab.run_sync(say, word="a")
    lab.run_sync(other_name, word="a")
    assert counter.asked == 1
    assert lab.run_sync(two, word="a").output == ["answer 2", "answer 3"]
    assert lab.run_sync(two, word="a").output == ["answer 2", "answer 3"]


def test_without_the_option_nothing_is_kept(lab: Lab, counter: Counter) -> None:
    for _ in range(2):
        lab.run_sync(_with(cache=False), word="a")
    lab.run_sync(_with(), word="a")
    assert counter.asked == 3


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    replies: list[Any] = [ValueError("no"), "yes"]
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda request: replies.pop(0))) as lab:
        assert lab.run_sync(saying, word="a").status == "failed"
        assert lab.run_sync(saying, word="a").output == "yes"


def test_an_edited_step_asks(lab: Lab, counter: Counter) -> None:
    run = lab.run_sync(saying, word="a")
    fork = lab.replay_sync(run.id, edits=[Edit(step="say", template="tell {{ word }}")])
    assert fork.output == "answer 2"
    again = lab.replay_sync(run.id, edits=[Edit(step="say", template="tell {{ word }}")])
    assert again.output == "answer 3"


def test_a_forced_step_asks(lab: Lab, counter: Counter) -> None:
    run = lab.run_sync(saying, word="a")
    assert lab.replay_sync(run.id, scope="all").output == "answer 2"


def test_twins_in_one_run(lab: Lab, counter: Counter) -> None:
    @chain
    def sayings(words: list[str]) -> list[str]:
        return each(words, say)

    lab.run_sync(saying, word="a")
    run: Run[Any] = lab.run_sync(sayings, words=["a", "b", "a"])
    assert [step.status for path, step in run.steps.items() if path.startswith("say")] == ["cached", "ok", "cached"]


def test_deleting_the_run_deletes_the_result(lab: Lab, counter: Counter) -> None:
    run = lab.run_sync(saying, word="a")
    delete_runs(lab.store.path, [run.id])
    assert lab.run_sync(saying, word="a").output == "answer 2"


def test_a_chain_that_follows_takes_the_cached_output(lab: Lab, counter: Counter) -> None:
    @prompt("and {{ word }}")
    def on(word: str) -> str:
        return fill()

    @chain
    def further(word: str) -> str:
        return on(say(word))

    lab.run_sync(saying, word="a")
    run = lab.run_sync(further, word="a")
    step = lab.reader.step(run.id, "on")
    assert step is not None and "answer 1" in str(step.attempts[0].messages)
