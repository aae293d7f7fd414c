"""Real runs in a real store: items, rounds, branches and forks; and what a comparison of long runs costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from chainlab import Lab, Request, Run, ScriptedBackend, StoreError, chain, each, fill, prompt, refine, step, when
from chainlab.compare.comparison import Comparison, compare
from chainlab.compare.read import read_facts
from chainlab.spec.edit import Edit
from chainlab.store.reading import Reading


class Topics(BaseModel):
    topics: list[str]


class Review(BaseModel):
    score: int
    revised: str


@prompt("List the topics.\n\n{{ text }}")
def extract(text: str) -> Topics:
    return fill()


@prompt("Summarise {{ topic }}.\n\n{{ text }}")
def summarise(topic: str, text: str) -> str:
    return fill()


@prompt("Grade: {{ note }}", temperature=0.0)
def grade(note: str) -> str:
    return fill()


@step
def join(notes: list[str]) -> str:
    return "\n".join(notes)


@prompt("Critique and revise:\n\n{{ article }}")
def critique(article: str) -> Review:
    return fill()


@chain
def brief(text: str) -> Review:
    found = extract(text)
    notes = each(found.topics, lambda topic: grade(summarise(topic, text)))
    return critique(join(notes))


@chain
def table(rows: list[list[str]]) -> list[list[str]]:
    return each(rows, lambda row: each(row, lambda cell: grade(cell)))


@chain
def polish(text: str) -> str:
    better = refine(
        text,
        review=lambda draft: critique(draft),
        accept=lambda review: review.score >= 5,
        improve=lambda draft, review: grade(review.revised),
    )
    return better.value


@chain
def choose(text: str) -> str:
    first = critique(text)
    return when(first.score >= 5, then=lambda: grade(first.revised), otherwise=lambda: summarise("all", first.revised))


class Script:
    """Replies that a test changes between runs."""

    def __init__(self) -> None:
        self.topics: Sequence[str] = ("tea", "bread", "ale")
        self.scores: Iterator[int] = iter(())
        self.said: dict[str, str] = {}

    def __call__(self, request: Request) -> Any:
        asked = str(request.messages[-1]["content"])
        name = request.step.partition("[")[0].partition("@")[0]
        if name == "extract":
            return Topics(topics=list(self.topics))
        if name == "critique":
            return Review(score=next(self.scores, 3), revised=asked)
        return self.said.get(asked, f"<{asked.partition(chr(10))[0]}>")


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def lab(tmp_path: Path, script: Script) -> Iterator[Lab]:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(script)) as opened:
        yield opened


def told(found: Comparison) -> dict[str, tuple[str, str | None]]:
    """Verdict and former path of every step of a prompt or function."""
    return {step.path: (step.verdict, step.moved_from) for step in found.steps if step.kind in ("prompt", "code")}


def test_an_inserted_item_does_not_make_the_later_ones_differ(lab: Lab, script: Script) -> None:
    a = brief.run_sync("The harbour.")
    script.topics = ("salt", "tea", "bread", "ale")
    found = lab.compare(a, brief.run_sync("The harbour."))
    steps = told(found)
    assert steps["summarise[0]"] == steps["grade[0]"] == ("only-b", None)
    assert [steps[f"summarise[{n}]"] for n in (1, 2, 3)] == [("same", f"summarise[{n - 1}]") for n in (1, 2, 3)]
    assert [steps[f"grade[{n}]"] for n in (1, 2, 3)] == [("same", f"grade[{n - 1}]") for n in (1, 2, 3)]
    assert found.first_divergence == "extract"
    assert found.opened is not None and found.opened.output is not None
    assert [(change.kind, change.path_b) for change in found.opened.output.changes] == [("added", ("topics", 0))]


def test_an_item_whose_first_step_answered_otherwise_stays_with_its_own_later_steps(lab: Lab, script: Script) -> None:
    a = brief.run_sync("The harbour.")
    script.topics = ("ale", "tea", "bread")  # turned round, and another text for tea
    script.said = {"Summarise tea.\n\nThe harbour.": "green"}
    steps = told(lab.compare(a, brief.run_sync("The harbour.")))
    assert steps["summarise[1]"] == ("changed", "summarise[0]")
    assert steps["grade[1]"] == ("changed", "grade[0]")
    assert steps["grade[0]"] == ("same", "grade[2]")


def test_items_of_the_same_value_keep_their_places(lab: Lab, script: Script) -> None:
    script.topics = ("tea", "tea", "ale")
    a = brief.run_sync("The harbour.")
    script.topics = ("ale", "tea")
    found = lab.compare(a, brief.run_sync("The harbour."))
    pairs = [(step.a and step.a.path, step.b and step.b.path) for step in found.steps if step.row.step == "summarise"]
    assert pairs == [("summarise[0]", None), ("summarise[2]", "summarise[0]"), ("summarise[1]", "summarise[1]")]


def test_items_inside_items_are_matched_inside_their_own(lab: Lab) -> None:
    a = table.run_sync([["a", "b"], ["c", "d"]])
    steps = told(lab.compare(a, table.run_sync([["c", "x", "d"], ["a", "b"]])))
    assert steps == {
        "grade[0][0]": ("same", "grade[1][0]"),
        "grade[0][1]": ("only-b", None),
        "grade[0][2]": ("same", "grade[1][1]"),
        "grade[1][0]": ("same", "grade[0][0]"),
        "grade[1][1]": ("same", "grade[0][1]"),
    }


def test_one_round_more_is_only_in_the_other_run(lab: Lab, script: Script) -> None:
    script.scores = iter((1, 9))
    a = polish.run_sync("text")
    script.scores = iter((1, 2, 9))
    found = lab.compare(a, polish.run_sync("text"))
    assert told(found) == {
        "critique@1": ("same", None),
        "grade@2": ("same", None),
        "critique@2": ("changed", None),
        "grade@3": ("only-b", None),
        "critique@3": ("only-b", None),
    }
    assert found.first_divergence == "critique@2"


def test_another_branch_is_a_change_of_status(lab: Lab, script: Script) -> None:
    script.scores = iter((9, 1))
    found = lab.compare(choose.run_sync("text"), choose.run_sync("text"))
    differs = {step.path: step.differs for step in found.steps}
    assert (differs["grade"], differs["summarise"]) == (("status",), ("status",))
    assert found.first_divergence == "critique"


def test_a_fork_is_the_same_but_for_its_edit_and_what_follows(lab: Lab) -> None:
    a = brief.run_sync("The harbour.")
    edit = Edit(step="critique", template="Revise this:\n\n{{ article }}", temperature=0.5)
    b = lab.replay_sync(a, edits=[edit], chain=brief)
    found = lab.compare(a, b)
    assert (found.relation, found.first_divergence) == ("fork", "critique")
    assert {step.verdict for step in found.steps if step.kind in ("prompt", "code")} == {"reused", "changed"}
    (changed,) = [step for step in found.steps if step.diverges]
    assert changed.differs == ("template", "sampling", "prompt", "output")
    assert found.opened is not None
    (template,) = found.opened.templates
    assert [(chunk.op, chunk.text) for chunk in template.text.chunks][:2] == [
        ("removed", "Critique and revise:\n"),
        ("added", "Revise this:\n"),
    ]
    (setting,) = found.opened.settings
    assert (setting.what, setting.name, setting.before, setting.after) == ("sampling", "temperature", None, "0.5")


def test_the_template_of_one_edited_item_is_found(lab: Lab) -> None:
    a = brief.run_sync("The harbour.")
    edit = Edit(step="summarise[1]", template="Sum up {{ topic }}: {{ text }}")
    found = lab.compare(a, lab.replay_sync(a, edits=[edit], chain=brief))
    assert found.first_divergence == "summarise[1]"
    changed = found.step("summarise[1]")
    assert changed is not None and changed.differs == ("template", "prompt", "output")
    assert found.opened is not None and len(found.opened.templates) == 1


def test_the_template_of_an_edited_item_is_found_in_a_fork_of_the_fork(lab: Lab) -> None:
    a = brief.run_sync("The harbour.")
    item = Edit(step="summarise[1]", template="Sum up {{ topic }}: {{ text }}")
    b = lab.replay_sync(a, edits=[item], chain=brief)
    c = lab.replay_sync(b, edits=[Edit(step="critique", template="Revise:\n\n{{ article }}")], chain=brief)
    found = lab.compare(a, c)
    assert found.relation == "relative"
    differs = {step.path: step.differs for step in found.steps}
    assert (differs["summarise[1]"][0], differs["critique"][0], differs["summarise[0]"]) == ("template", "template", ())


def test_a_step_that_is_called_otherwise_now_is_matched_by_its_work(lab: Lab) -> None:
    @chain
    def named(text: str) -> str:
        return grade.with_(name="mark")(text)

    @chain
    def plain(text: str) -> str:
        return grade(text)

    found = lab.compare(plain.run_sync("x"), named.run_sync("x"), any_chain=True)
    assert told(found) == {"mark": ("same", "grade")}
    assert found.equal


def test_runs_are_named_by_id_prefix_last_or_themselves(lab: Lab) -> None:
    a, b = choose.run_sync("x"), choose.run_sync("y")
    assert lab.compare(a, "last").b.id == b.id
    assert lab.compare(a.id, b).inputs == ("text",)
    with pytest.raises(StoreError, match="no run 'zzz'"):
        lab.compare(a, "zzz")


def test_a_comparison_is_plain_data(lab: Lab, script: Script) -> None:
    a = brief.run_sync("The harbour.")
    script.topics = ("tea",)

    def check(value: object) -> None:
        if is_dataclass(value):
            for field in fields(value):
                check(getattr(value, field.name))
        elif isinstance(value, (list, tuple)):
            for item in value:
                check(item)
        elif isinstance(value, dict):
            check([*value.keys(), *value.values()])
        else:
            assert value is None or type(value) in (str, int, float, bool)

    check(lab.compare(a, brief.run_sync("The harbour.")))


# -- long runs ---------------------------------------------------------------------------------------------------------


@chain
def long(topics: list[str], text: str) -> list[str]:
    return each(topics, lambda topic: summarise(topic, text))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of values each query to the store brought, in order."""
    found: list[int] = []
    plain = Reading.all

    def counting(self: Reading, query: str, *values: Any) -> list[Any]:
        rows = plain(self, query, *values)
        parts = [part for row in rows for part in tuple(row) if isinstance(part, bytes) and len(part) != 20]
        found.append(sum(map(len, parts)))
        return rows

    monkeypatch.setattr(Reading, "all", counting)
    return found


def test_a_thousand_steps_cost_as_many_queries_as_ten_and_the_list_no_values(
    lab: Lab, script: Script, asked: list[int]
) -> None:
    text = "The harbour of Bergen. " * 500

    def pair(count: int) -> tuple[Run[Any], Run[Any]]:
        topics = [f"topic {n}" for n in range(count)]
        script.said = {f"Summarise topic {n}.\n\n{text}": "x" * 2_000 for n in range(count)}
        a = long.run_sync(topics, text)
        script.said |= {f"Summarise topic 7.\n\n{text}": "y" * 2_000}
        return a, long.run_sync(["new", *topics], text)

    def cost(a: Run[Any], b: Run[Any]) -> tuple[Comparison, int, int]:
        asked.clear()
        found = lab.compare(a, b, step="summarise[8]")
        return found, len(asked), sum(asked)

    few, many = pair(10), pair(1_000)
    _, small, _ = cost(*few)
    found, large, _ = cost(*many)
    assert small == large < 60
    assert found.counts == {"same": 999, "changed": 2, "only-b": 1}
    assert told(found)["summarise[8]"] == ("changed", "summarise[7]")
    assert found.opened is not None and found.opened.output is not None and found.opened.output.kind == "text"

    asked.clear()
    compare(read_facts(lab.reader, many[0].id), read_facts(lab.reader, many[1].id))
    assert sum(asked) < 20_000  # both chains, and not one of 2,000 outputs
