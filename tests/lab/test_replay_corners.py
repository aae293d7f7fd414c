"""Replays that once went wrong: outputs by hand, edited later; twins; items that come back; forks of one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from chainlab import Edit, Lab, Request, ScriptedBackend, chain, each, fill, prompt, step


@prompt("Draft {{ x }}")
def draft(x: str) -> str:
    return fill()


@prompt("Polish {{ x }}")
def polish(x: str) -> str:
    return fill()


@chain
def letter(x: str) -> str:
    return polish(draft(x))


@prompt("Label {{ x }}")
def label(x: str) -> Literal["bug", "praise"]:
    return fill()


@prompt("Explain {{ x }}")
def explain(x: str) -> str:
    return fill()


@chain
def labels(xs: list[str]) -> list[str]:
    return each(each(xs, lambda x: label(x)), lambda found: explain(found))


FULL: set[str] = set()


@step
def save(x: str) -> None:
    if x in FULL:
        raise OSError("disk full")


@prompt("Sum {{ x }}")
def summed(x: str) -> str:
    return fill()


def saved(x: str) -> str:
    save(x)
    return summed(x)


@prompt("Join {{ xs }}")
def joined(xs: list[str]) -> str:
    return fill()


@chain
def report(xs: list[str]) -> str:
    return joined(each(xs, saved, on_error="drop"))


@prompt("Note {{ x }}")
def note(x: str) -> str:
    return fill()


@prompt("Join {{ a }}: {{ ns }}")
def under(a: str, ns: list[str]) -> str:
    return fill()


@chain
def inner(a: str, xs: list[str]) -> str:
    return under(a, each(xs, lambda x: note(x)))


@chain
def nested(x: str, xs: list[str]) -> str:
    return inner(polish(draft(x)), xs)


class Desk:
    """A lab whose model repeats what it is asked, and the paths that were asked."""

    def __init__(self, path: Path) -> None:
        self.asked: list[str] = []
        self.lab = Lab.open(path, default_model=ScriptedBackend(self._reply))

    def _reply(self, request: Request) -> str:
        said = request.messages[-1]["content"]
        self.asked.append(request.step)
        if request.step.startswith("label"):
            return "praise" if "good" in said else "bug"
        return f"<{said}>"

    def run(self, what: Any, **inputs: Any) -> Any:
        run = self.lab.run_sync(what, **inputs)
        self.asked.clear()
        return run

    def replay(self, run: Any, *edits: Edit, **how: Any) -> Any:
        self.asked.clear()
        return self.lab.replay_sync(run, edits=edits, **how)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    FULL.clear()
    found = Desk(tmp_path / "traces.db")
    with found.lab:
        yield found


@pytest.mark.parametrize(
    ("fields", "output"),
    [
        ({"template": "New {{ x }}"}, "<Polish <New tea>>"),
        ({"seed": 3}, "<Polish <Draft tea>>"),
        ({"inputs": {"x": "salt"}}, "<Polish <Draft salt>>"),
    ],
)
@pytest.mark.parametrize("scope", ["descendants", "changed", "all"])
def test_a_step_whose_output_was_set_by_hand_runs_when_it_is_edited(
    desk: Desk, fields: Mapping[str, Any], output: str, scope: Any
) -> None:
    by_hand = desk.replay(desk.run(letter, x="tea"), Edit(step="draft", output="by hand"))
    assert by_hand.output == "<Polish by hand>"
    edited = desk.replay(by_hand, Edit(step="draft", **fields), scope=scope)
    assert desk.asked == ["draft", "polish"]
    assert edited.output == output


def test_an_output_by_hand_stands_while_others_are_edited_and_can_be_set_again(desk: Desk) -> None:
    by_hand = desk.replay(desk.run(letter, x="tea"), Edit(step="draft", output="by hand"))
    other = desk.replay(by_hand, Edit(step="polish", template="Shine {{ x }}"))
    assert (desk.asked, other.output) == (["polish"], "<Shine by hand>")
    again = desk.replay(by_hand, Edit(step="draft", output="another"))
    assert (desk.asked, again.output) == (["polish"], "<Polish another>")


def test_a_changed_item_does_not_take_the_record_of_one_that_has_not_changed(desk: Desk) -> None:
    run = desk.run(labels, xs=["meh", "good", "good stuff"])
    by_hand = Edit(step="label[0]", output="praise")
    changed = desk.replay(run, by_hand, scope="changed")
    assert desk.asked == ["explain[0]"]
    assert changed.steps["explain[2]"].status == "reused"
    desk.replay(run, by_hand, scope="step")
    assert desk.asked == []


def test_an_edit_within_its_step_calls_that_step_alone(desk: Desk) -> None:
    run = desk.run(labels, xs=["meh", "good", "good stuff"])
    fork = desk.replay(run, Edit(step="label[0]", template="Label good {{ x }}"), scope="step")
    assert desk.asked == ["label[0]"]
    assert (fork.steps["explain[0]"].status, fork.steps["explain[1]"].status) == ("skipped", "reused")


def test_a_plan_knows_the_items_that_have_not_changed(desk: Desk) -> None:
    run = desk.run(labels, xs=["meh", "good"])
    plan = desk.lab.plan_replay(run, edits=[Edit(step="label[0]", template="Label good {{ x }}")]).plan
    assert (plan.calls, plan.calls_at_most) == (2, 2)


def test_an_item_that_was_dropped_comes_back_and_what_uses_the_list_runs(desk: Desk) -> None:
    FULL.add("b")
    run = desk.run(report, xs=["a", "b", "c"])
    assert (run.status, run.output) == ("ok", '<Join ["<Sum a>", "<Sum c>"]>')
    FULL.clear()
    mended = desk.replay(run, chain=report)
    assert desk.asked == ["joined"]  # the note was there already; what failed was beside it
    assert mended.output == '<Join ["<Sum a>", "<Sum b>", "<Sum c>"]>'


def test_what_a_fork_of_one_step_left_out_runs_when_the_fork_is_replayed(desk: Desk) -> None:
    run = desk.run(nested, x="tea", xs=["p", "q"])
    fork = desk.replay(run, Edit(step="draft", template="New {{ x }}"), scope="step")
    assert (desk.asked, fork.steps["inner"].status) == (["draft"], "skipped")
    whole = desk.replay(fork)
    assert desk.asked[0] == "polish" and set(desk.asked[1:]) == {"inner/note[0]", "inner/note[1]", "inner/under"}
    assert whole.status == "ok"


def test_two_edits_of_one_step_are_one_in_a_noise_control(desk: Desk) -> None:
    run = desk.run(letter, x="tea")
    found = desk.lab.noise_control_sync(
        run, [Edit(step="draft", template="In short: {{ x }}"), Edit(step="draft", temperature=0.5)], k=4
    )
    assert (found.status, found.done) == ("done", 8)


def test_a_noise_control_of_a_step_that_was_set_by_hand_asks_the_model(desk: Desk) -> None:
    by_hand = desk.replay(desk.run(letter, x="tea"), Edit(step="draft", output="by hand"))
    desk.asked.clear()
    found = desk.lab.noise_control_sync(by_hand, [Edit(step="draft", template="In short: {{ x }}")], k=4)
    assert desk.asked == ["draft"] * 8
    assert found.verdict is not None and found.verdict.label == "edit"
