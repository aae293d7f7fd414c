"""When steps run: as soon as their own inputs are there, in what order results come, who is skipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from chainlab import Lab, Refined, Request, RunFailed, chain, each, fill, given, make, prompt, refine, route, step, when
from tests.patience import turns_until

Open = Callable[[Callable[[Request], Any]], Lab]


class Words(BaseModel):
    words: list[str]


class Kind(BaseModel):
    kind: Literal["a", "b"]
    note: str | None = None


class Verdict(BaseModel):
    score: int


class Report(BaseModel):
    title: str
    lines: list[str]
    rounds: int = 0


@prompt("words of {{ text }}")
def words_of(text: str) -> Words:
    return fill()


@prompt("about {{ word }}")
def about(word: str) -> str:
    return fill()


@prompt("slow {{ text }}")
def slow(text: str) -> str:
    return fill()


@prompt("fast {{ text }}")
def fast(text: str) -> str:
    return fill()


@prompt("after {{ text }}")
def after(text: str) -> str:
    return fill()


@prompt("join {{ one }} {{ two }}")
def join(one: str, two: str) -> str:
    return fill()


@prompt("kind {{ text }}")
def kind_of(text: str) -> Kind:
    return fill()


@prompt("judge {{ text }}")
def judge(text: str) -> Verdict:
    return fill()


@prompt("better {{ text }} {{ score }}")
def better(text: str, score: int) -> str:
    return fill()


@step
def shout(text: str) -> str:
    return text.upper()


@chain
def fan(text: str) -> list[str]:
    return each(words_of(text).words, about)


@chain
def two_arms(text: str) -> str:
    return join(slow(text), after(fast(text)))


@chain
def branches(text: str) -> tuple[str, str | None]:
    found = kind_of(text)
    taken = route(found.kind, {"a": lambda: about(text), "b": lambda: fast(text)})
    return taken, given(found.note, then=lambda note: after(note))


@chain
def polished(text: str) -> Report:
    done: Refined[str, Verdict] = refine(
        slow(text), review=judge, accept=lambda v: v.score >= 2, improve=lambda d, v: better(d, v.score), max_rounds=3
    )
    return make(Report, title=text, lines=[done.value, shout(done.value)], rounds=done.rounds)


@chain
def dropped(text: str) -> list[str]:
    return each(words_of(text).words, about, on_error="drop")


@chain
def kept(text: str) -> list[str | None]:
    return each(words_of(text).words, about, on_error="keep")


def _three(request: Request) -> Any:
    if request.step == "words_of":
        return {"words": ["x", "y", "z"]}
    return f"<{request.messages[-1]['content']}>"


def test_results_of_each_come_in_input_order_whatever_ends_first(open_lab: Open) -> None:
    ended: list[str] = []
    waits_for = {"about[0]": "about[1]", "about[1]": "about[2]"}

    async def reply(request: Request) -> Any:
        if request.step == "words_of":
            return {"words": ["x", "y", "z"]}
        if (other := waits_for.get(request.step)) is not None:
            await turns_until(lambda: other in ended, f"the end of {other}")
        ended.append(request.step)
        return request.messages[-1]["content"]

    assert open_lab(reply).run_sync(fan, "t").output == ["about x", "about y", "about z"]
    assert ended == ["about[2]", "about[1]", "about[0]"]


def test_each_over_nothing_is_an_empty_list(open_lab: Open) -> None:
    run = open_lab(lambda r: {"words": []}).run_sync(fan, "t")
    assert run.output == []
    assert list(run.steps) == ["words_of", "each"]


def test_a_step_does_not_wait_for_a_branch_it_does_not_use(open_lab: Open) -> None:
    order: list[str] = []

    async def reply(request: Request) -> Any:
        if request.step == "slow":
            await turns_until(lambda: "after" in order, "the end of the other branch")
        order.append(request.step)
        return "x"

    open_lab(reply).run_sync(two_arms, "t").raise_for_status()
    assert order == ["fast", "after", "slow", "join"]


def test_an_untaken_branch_is_skipped_and_says_why(open_lab: Open) -> None:
    def reply(request: Request) -> Any:
        return {"kind": "b", "note": None} if request.step == "kind_of" else request.step

    run = open_lab(reply).run_sync(branches, "t")
    assert run.output == ("fast", None)
    assert {path: (s.status, s.cause_path) for path, s in run.steps.items()} == {
        "kind_of": ("ok", None),
        "route": ("ok", None),
        "about": ("skipped", "route"),
        "fast": ("ok", None),
        "when": ("ok", None),
        "after": ("skipped", "when"),
    }


def test_given_passes_the_value_that_is_there(open_lab: Open) -> None:
    def reply(request: Request) -> Any:
        return {"kind": "a", "note": "n"} if request.step == "kind_of" else request.messages[-1]["content"]

    assert open_lab(reply).run_sync(branches, "t").output == ("about t", "after n")


def test_refine_improves_until_the_review_accepts(open_lab: Open) -> None:
    def reply(request: Request) -> Any:
        if request.step.startswith("judge"):
            return {"score": int(request.step.split("@")[1])}
        return request.messages[-1]["content"]

    run = open_lab(reply).run_sync(polished, "t")
    assert run.output == Report(title="t", lines=["better slow t 1", "BETTER SLOW T 1"], rounds=2)
    assert [path for path in run.steps if "@" in path] == ["judge@1", "better@2", "judge@2"]


def test_refine_stops_at_its_bound_and_says_that_nothing_was_accepted(open_lab: Open) -> None:
    lab = open_lab(lambda r: {"score": 0} if r.step.startswith("judge") else "d")
    run = lab.run_sync(polished, "t")
    assert run.output.rounds == 3
    assert run.steps["refine"].output["accepted"] is False


def test_a_failed_step_skips_what_follows_and_lets_the_rest_finish(open_lab: Open) -> None:
    def reply(request: Request) -> Any:
        return RuntimeError("no") if request.step == "fast" else "x"

    run = open_lab(reply).run_sync(two_arms, "t")
    assert run.status == "failed"
    assert {p: s.status for p, s in run.steps.items()} == {
        "slow": "ok", "fast": "failed", "after": "skipped", "join": "skipped"
    }  # fmt: skip
    assert run.steps["after"].cause_path == run.steps["join"].cause_path == "fast"
    with pytest.raises(RunFailed) as caught:
        _ = run.output
    assert caught.value.path == "fast"


def _second_fails(request: Request) -> Any:
    return RuntimeError("no") if request.step == "about[1]" else _three(request)


def test_a_failed_item_fails_each_after_the_other_items_ended(open_lab: Open) -> None:
    run = open_lab(_second_fails).run_sync(fan, "t")
    assert run.status == "failed"
    assert run.failure is not None and run.failure.path == "about[1]"
    assert run.steps["about[2]"].status == "ok"
    assert run.steps["each"].status == "failed"


def test_dropped_failures_leave_the_run_ok_and_recorded(open_lab: Open) -> None:
    lab = open_lab(_second_fails)
    run = lab.run_sync(dropped, "t")
    assert run.output == ["<about x>", "<about z>"]
    assert run.steps["about[1]"].status == "failed"
    assert lab.reader.runs(limit=1)[0].steps_failed == 1


def test_kept_failures_stand_as_none(open_lab: Open) -> None:
    assert open_lab(_second_fails).run_sync(kept, "t").output == ["<about x>", None, "<about z>"]


@chain
def nested(texts: list[str]) -> list[list[str]]:
    return each(texts, fan)


def test_a_sub_chain_in_each_has_paths_of_its_own(open_lab: Open) -> None:
    def reply(request: Request) -> Any:
        return {"words": ["x"]} if request.step.endswith("words_of") else request.step

    run = open_lab(reply).run_sync(nested, ["a", "b"])
    assert run.output == [["fan[0]/about[0]"], ["fan[1]/about[0]"]]


@chain
def maybe(text: str) -> str:
    found = judge(text)
    return when(found.score > 1, then=lambda: slow(text), otherwise=lambda: "none")


def test_when_takes_a_constant_as_its_other_branch(open_lab: Open) -> None:
    assert open_lab(lambda r: {"score": 0}).run_sync(maybe, "t").output == "none"


def test_ten_thousand_steps_in_a_row_do_not_recurse(open_lab: Open) -> None:
    @chain
    def long(text: str) -> str:
        for _ in range(3000):
            text = shout(text)
        return text

    run = open_lab(lambda r: "x").run_sync(long, "t")
    assert run.output == "T"
