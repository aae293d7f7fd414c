"""Noise control in a lab: what runs in which arm with which seed, what is judged, and what is refused."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from chainlab import ChainError, Edit, Lab, ReplayError, Request, ScriptedBackend, chain, each, fill, prompt, step
from chainlab.lab.noise_control import NoiseControl, seed_of
from tests.chance import words_of_chance

CONTROLS = int(os.environ.get("CONTROLS", "50"))  # `make test-long`: 200
SUBJECTS = ["The harbour", "The ferry", "The bridge", "The lock", "The pier"]
VERBS = ["lives by", "depends on", "waits for", "is named after"]
ENDS = ["the tide.", "the weather.", "the town.", "its people."]


@prompt("Draft: {{ topic }}", temperature=0.8)
def draft(topic: str) -> str:
    return fill()


@prompt("Polish: {{ text }}")
def polish(text: str) -> str:
    return fill()


@step
def shout(text: str) -> str:
    return text.upper()


@chain
def article(topic: str) -> str:
    return shout(polish(draft(topic)))


@prompt("Cold: {{ topic }}", temperature=0, seed=7)
def cold(topic: str) -> str:
    return fill()


@chain
def notes(topics: list[str]) -> list[str]:
    return each(topics, lambda topic: cold(topic))


SHORT = Edit(step="draft", template="In short: {{ topic }}")


def random_replies(seed: int, *, edited: str = "In short: ") -> ScriptedBackend:
    """A model that samples: other words each time; an edited prompt shows in every second reply's first words."""
    random = Random(seed)

    def reply(request: Request) -> str:
        said = " ".join(random.choice(words) for words in (SUBJECTS, VERBS, ENDS))
        if request.messages[-1]["content"].startswith("In short: "):
            return edited + said
        return said

    return ScriptedBackend(reply)


def echo(request: Request) -> str:
    """A model that says what it was told."""
    text: str = request.messages[-1]["content"]
    return text


def recorded(lab: Lab, what: Any = article, **inputs: Any) -> str:
    """A run, and no request of it."""
    run = lab.run_sync(what, **(inputs or {"topic": "tides"}))
    assert run.status == "ok"
    return str(run.id)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


def test_both_arms_run_the_edited_step_alone_each_time_with_a_seed_of_its_own(database: Path) -> None:
    with Lab.open(database, default_model=(backend := random_replies(1))) as lab:
        run = recorded(lab)
        backend.requests.clear()
        found = lab.noise_control_sync(run, [SHORT], k=8)
        texts = [request.messages[-1]["content"] for request in backend.requests]
        assert sorted(texts) == ["Draft: tides"] * 8 + ["In short: tides"] * 8
        seeds = {request.seed for request in backend.requests}
        wanted = {seed_of(found.id, arm, sample) for arm in ("control", "edited") for sample in range(8)}
        assert seeds == wanted
        assert len(seeds) == 16 and all(0 <= int(seed or -1) < 2**31 for seed in seeds)
        places = [(one.key, one.arm, one.sample) for one in lab.reader.batch_runs(found.id)]
        assert sorted(places) == [(run, arm, n) for arm in ("control", "edited") for n in range(8)]
        assert len({*found.control, *found.edited}) == 16
    assert (found.status, found.steps, found.done, found.total) == ("done", ("draft",), 16, 16)


def test_the_arms_take_turns(database: Path) -> None:
    with Lab.open(database, default_model=(backend := random_replies(1))) as lab:
        run = recorded(lab)
        backend.requests.clear()
        lab.noise_control_sync(run, [SHORT], k=4, concurrency=1)
    assert [request.messages[-1]["content"].partition(":")[0] for request in backend.requests] == [
        "Draft",
        "In short",
    ] * 4


@pytest.mark.timeout(600)
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_labels_of_many_controls_are_right_as_often_as_is_said(database: Path, share: float) -> None:
    """An edit that changes nothing is called one at most 1 time in 10; one of a fifth of the words at least 9 in 10."""
    random = Random(5)

    def sampling(request: Request) -> str:
        edited = request.messages[-1]["content"].startswith("In short: ")
        return words_of_chance(random, share if edited else 0.0)

    labels = []
    with Lab.open(database, default_model=ScriptedBackend(sampling)) as lab:
        run = recorded(lab)
        for _ in range(CONTROLS):
            verdict = lab.noise_control_sync(run, [SHORT]).verdict
            assert verdict is not None
            labels.append(verdict.label)
    if share:
        assert labels.count("edit") >= 0.9 * CONTROLS
    else:
        assert labels.count("edit") <= 0.1 * CONTROLS


def test_with_a_wider_scope_the_outputs_of_the_runs_are_judged(database: Path) -> None:
    def reply(request: Request) -> str:
        text = echo(request)
        return "polished" if text.startswith("Polish") else text  # whatever the draft was

    with Lab.open(database, default_model=(backend := ScriptedBackend(reply))) as lab:
        run = recorded(lab)
        alone = lab.noise_control_sync(run, [SHORT])
        backend.requests.clear()
        whole = lab.noise_control_sync(run, [SHORT], scope="descendants")
        assert len(backend.requests) == 32
    assert alone.verdict is not None and whole.verdict is not None
    assert (alone.verdict.label, whole.verdict.label) == ("edit", "noise")
    assert "all outputs are the same" in whole.verdict.note


def test_all_items_of_an_edited_step_are_judged_together(database: Path) -> None:
    with Lab.open(database, default_model=ScriptedBackend(echo)) as lab:
        run = recorded(lab, notes, topics=["a", "b"])
        found = lab.noise_control_sync(run, [Edit(step="cold[1]", template="Other: {{ topic }}")], k=4)
        assert found.verdict is not None and found.verdict.label == "edit"
        assert found.steps == ("cold[1]",)
        whole = lab.noise_control_sync(run, [Edit(step="cold", template="Cold: {{ topic }}")], k=4)
        assert whole.verdict is not None and whole.verdict.p_value == 1


def test_runs_without_an_output_count_as_a_difference(database: Path) -> None:
    def reply(request: Request) -> object:
        text = echo(request)
        return RuntimeError("down") if text.startswith("In short") else text

    with Lab.open(database, default_model=ScriptedBackend(reply)) as lab:
        found = lab.noise_control_sync(recorded(lab), [SHORT])
    assert found.verdict is not None and found.verdict.label == "edit"
    assert "8 of 8 edited runs have no output" in found.verdict.note
    assert len(found.edited) == 8


def test_seeds_that_are_replaced_and_a_temperature_of_0_are_said(database: Path) -> None:
    with Lab.open(database, default_model=(backend := random_replies(1))) as lab:
        run = recorded(lab, notes, topics=["a"])
        plan = lab.plan_noise_control(run, [Edit(step="cold", template="Cool: {{ topic }}", seed=9)])
        assert plan.notes[0] == "cold: its seed 9 is replaced, every run gets its own"
        assert plan.notes[1].startswith("cold: temperature 0 in both arms")
        warmer = lab.plan_noise_control(run, [Edit(step="cold", temperature=0.8)])
        assert warmer.notes[0] == "cold: its seed 7 is replaced, every run gets its own"
        assert warmer.notes[1].startswith("cold: temperature 0 in one arm")
        backend.requests.clear()
        found = lab.noise_control_sync(run, [Edit(step="cold", temperature=0.8)], k=4)
    assert found.notes == warmer.notes
    assert not {request.seed for request in backend.requests} & {7, 9}


def test_a_plan_says_how_many_calls_and_makes_none(database: Path) -> None:
    with Lab.open(database, default_model=(backend := random_replies(1))) as lab:
        run = recorded(lab)
        backend.requests.clear()
        plan = lab.plan_noise_control(run, [SHORT], k=5)
        assert (plan.estimate.calls, plan.estimate.calls_at_most) == (10, 10)
        assert lab.plan_noise_control(run, [SHORT], k=5, scope="descendants").estimate.calls == 20
        assert (backend.requests, lab.reader.batches()) == ([], ())


@pytest.mark.parametrize(
    ("edits", "options", "code"),
    [
        ([Edit(step="shout", inputs={"text": "x"})], {}, "no-sampling"),
        ([Edit(step="$input", inputs={"topic": "x"})], {}, "no-sampling"),
        ([Edit(step="draft", output="x")], {}, "no-sampling"),
        ([], {}, "no-edits"),
        ([SHORT], {"k": 3}, "bad-option"),
        ([SHORT], {"k": 5, "level": 0.001}, "bad-option"),
        ([SHORT], {"level": 0.0}, "bad-option"),
        ([Edit(step="draft", template="{{ nothing }}")], {}, "template-variable"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_anything_is_written(
    database: Path, edits: list[Edit], options: dict[str, Any], code: str
) -> None:
    with Lab.open(database, default_model=(backend := random_replies(1))) as lab:
        run = recorded(lab)
        calls = len(backend.requests)
        with pytest.raises((ReplayError, ChainError)) as caught:
            lab.noise_control_sync(run, edits, **options)
        assert caught.value.code == code
        assert (len(backend.requests), lab.reader.batches()) == (calls, ())


async def test_a_control_that_was_cancelled_is_gone_on_with_under_the_same_seeds(database: Path) -> None:
    reached = asyncio.Event()

    async def stuck(request: Request) -> str:
        if len(backend.requests) == 10:
            reached.set()
        if len(backend.requests) > 8:
            await asyncio.sleep(3600)
        return echo(request)

    first = random_replies(1)
    async with Lab.open(database, default_model=first) as lab:
        run = await lab.run(article, topic="tides")
    backend = ScriptedBackend(stuck)
    async with Lab.open(database, default_model=backend) as lab:
        work = asyncio.create_task(lab.noise_control(run.id, [SHORT], k=8, concurrency=2))
        await reached.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        cut = lab.batch("last")
        assert isinstance(cut, NoiseControl)
        assert (cut.status, cut.verdict, cut.done) == ("cancelled", None, 8)
    after = random_replies(2)
    async with Lab.open(database, default_model=after) as lab:
        found = await lab.resume_batch(cut.id)
        assert isinstance(found, NoiseControl)
    assert (found.status, found.done, found.verdict is not None) == ("done", 16, True)
    seeds = [request.seed for request in backend.requests[:8]] + [request.seed for request in after.requests]
    assert sorted(map(int, filter(None, seeds))) == sorted(
        seed_of(cut.id, arm, n) for arm in ("control", "edited") for n in range(8)
    )


@pytest.mark.model
def test_one_edit_is_judged_on_the_built_in_model(database: Path) -> None:
    @prompt("Name one animal that lives in {{ place }}.", model="embedded", temperature=0.9, max_tokens=8)
    def animal(place: str) -> str:
        return fill()

    with Lab.open(database) as lab:
        run = lab.run_sync(animal, place="the sea")
        edit = Edit(step="animal", template="Count from one to five, as digits. {{ place }}")
        found = lab.noise_control_sync(run, [edit], k=4)
        outputs = {lab.get(fork).steps["animal"].output for fork in (*found.control, *found.edited)}
        requests = [(lab.reader.step(fork, "animal"), fork) for fork in (*found.control, *found.edited)]
    assert found.verdict is not None
    assert (found.verdict.n_control, found.verdict.n_edited, found.verdict.permutations) == (4, 4, 70)
    assert len(outputs) > 1  # seeds reach the model
    seeds = {step.attempts[0].parameters["seed"] for step, _ in requests if step is not None}
    assert len(seeds) == 8
