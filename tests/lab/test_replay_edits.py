"""What can be edited in a replay, and what is said of wrong edits: before any call, and before a row is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from chainlab import (
    ChainError,
    ConfigError,
    Edit,
    Lab,
    ReplayError,
    Request,
    RunFailed,
    assistant,
    chain,
    each,
    fill,
    prompt,
    refine,
    step,
    system,
    user,
    when,
)
from tests.lab.replays import Bench, Model, Review, Topics, brief, extract, join, statuses, summarise


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    model = Model()
    with model.open(tmp_path / "t.db") as lab:
        yield Bench(lab, model)


# -- parts of a prompt ------------------------------------------------------------------------------------------------


def test_the_template_is_the_user_message_and_the_system_message_has_its_own(bench: Bench) -> None:
    run = bench.run()
    bench.fork(run, Edit(step="critique", template="Praise {{ article }}"))
    bench.fork(run, Edit(step="critique", system="You are mild."))
    both = [[str(m["content"])[:14] for m in request.messages] for request in bench.model.requests[-2:]]
    assert both == [["You are strict", "Praise <Summar"], ["You are mild.", "Critique <Summ"]]


def test_a_prompt_without_a_system_message_gets_one(bench: Bench) -> None:
    bench.fork(bench.run(), Edit(step="summarise[0]", system="Be brief."))
    assert [message["role"] for message in bench.model.requests[-2].messages] == ["system", "user"]


@prompt(messages=[system("S"), user("first {{ a }}"), assistant("so be it"), user("then {{ a }}")])
def talk(a: str) -> str:
    return fill()


def test_of_several_user_messages_the_last_is_the_template(bench: Bench) -> None:
    fork, _ = bench.fork(bench.run(talk, "x"), Edit(step="talk", template="now {{ a }}"))
    assert [m["content"] for m in bench.model.requests[-1].messages] == ["S", "first x", "so be it", "now x"]
    assert fork.output == "<now x>"


def test_sampling_and_model_are_what_the_edit_says(bench: Bench) -> None:
    edit = Edit(step="critique", model="wise", temperature=0.3, max_tokens=7, top_p=0.5, seed=9, stop=("END",))
    fork, _ = bench.fork(bench.run(), edit)
    sent = bench.model.requests[-1]
    assert (sent.model, sent.temperature, sent.max_tokens, sent.top_p, sent.seed, sent.stop) == (
        "wise", 0.3, 7, 0.5, 9, ("END",)
    )  # fmt: skip
    assert fork.steps["critique"].model == "wise"


@chain
def notes_twice(text: str) -> str:
    return summarise(summarise(text))


@chain
def notes_inside(text: str) -> str:
    return notes_twice(summarise(text))


@pytest.mark.parametrize("overridden", [{}, {"summarise": "wise"}], ids=["plain", "overridden by the chain"])
@pytest.mark.parametrize("edited", ["summarise", "notes_twice/summarise", "notes_twice/summarise~2"])
def test_another_model_for_one_step_is_for_no_other_of_its_name(
    bench: Bench, edited: str, overridden: dict[str, str]
) -> None:
    run = bench.run(notes_inside.with_(models=overridden), "x")
    fork, _ = bench.fork(run, Edit(step=edited, model="odd"))
    before = {path: found.model for path, found in run.steps.items() if found.kind == "prompt"}
    assert {path: found.model for path, found in fork.steps.items() if found.kind == "prompt"} == {
        **before,
        edited: "odd",
    }


def test_inputs_of_a_step_are_set_by_hand(bench: Bench) -> None:
    run = bench.run()
    fork, calls = bench.fork(run, Edit(step="critique", inputs={"article": "my own words"}))
    assert (calls, fork.output.text) == (["critique"], "Critique my own words")
    fork, calls = bench.fork(run, Edit(step="join", inputs={"notes": ["a", "b"]}))
    assert (calls, fork.output.text) == (["critique"], "Critique a / b")


def test_the_runs_own_inputs_are_edited_and_what_takes_them_follows(bench: Bench) -> None:
    fork, calls = bench.fork(bench.run(), Edit(step="$input", inputs={"text": "a poem"}), scope="changed")
    assert calls == ["extract"]  # the same topics come of it
    assert bench.rows("SELECT value_text FROM step_inputs WHERE run_id = ? AND path = '$input'", fork.id) == [
        ('"a poem"',)
    ]


# -- outputs by hand --------------------------------------------------------------------------------------------------


def test_an_output_by_hand_is_handed_on_without_a_call(bench: Bench) -> None:
    run = bench.run()
    fork, calls = bench.fork(run, Edit(step="extract", output={"topics": ["salt"]}))
    assert calls == ["summarise[0]", "critique"]
    assert fork.steps["extract"].status == "reused"
    assert bench.origins(fork)["extract"] == (fork.id, "extract")  # made here, by a person
    assert bench.rows("SELECT count(*) FROM attempts WHERE run_id = ? AND path = 'extract'", fork.id) == [(0,)]


def test_an_output_by_hand_stands_in_forks_of_the_fork(bench: Bench) -> None:
    by_hand, _ = bench.fork(bench.run(), Edit(step="join", output="my own words"))
    fork, calls = bench.fork(by_hand, Edit(step="critique", template="Praise {{ article }}"))
    assert (calls, fork.output.text) == (["critique"], "Praise my own words")
    assert bench.origins(fork)["join"] == (fork.id, "join")


def test_an_output_by_hand_saves_a_failed_step_and_what_failed_before_it(bench: Bench) -> None:
    bench.model.fails.add("List")
    failed = bench.run()
    assert (failed.status, list(statuses(failed, "skipped"))) == ("failed", ["each", "join", "critique"])
    fork, calls = bench.fork(failed, Edit(step="join", output="my own words"), scope="descendants")
    assert "critique" in calls
    assert fork.steps["critique"].output["text"] == "Critique my own words"


def test_a_null_is_an_output(bench: Bench) -> None:
    @prompt("{{ text }}")
    def maybe(text: str) -> str | None:
        return fill()

    run = bench.lab.run_sync(maybe, "null")
    bench.model.take()
    fork, calls = bench.fork(run, Edit(step="maybe", output=None))
    assert (calls, fork.status, fork.output) == ([], "ok", None)


def test_instances_of_the_authors_models_are_taken_as_they_are(bench: Bench) -> None:
    run = bench.run()
    fork, calls = bench.fork(run, Edit(step="critique", output=Review(score=3, text="by hand")))
    assert (calls, fork.output) == ([], Review(score=3, text="by hand"))
    assert bench.fork(run, Edit(step="extract", output=Topics(topics=["jam"])))[1] == ["summarise[0]", "critique"]


@step
def passed_on(value: dict[str, Any]) -> dict[str, Any]:
    return value


@step
def measured(value: dict[str, Any]) -> str:
    return ",".join(value)


@chain
def odd(value: dict[str, Any]) -> str:
    return measured(passed_on(value))


def test_odd_values_are_reused_and_set_by_hand_as_they_are(bench: Bench) -> None:
    values = {"nan": float("nan"), "inf": float("-inf"), "half": "\ud800", "zero": "\x00", "big": 2**70, "float": 1.0}
    run = bench.run(odd, values)
    assert bench.fork(run)[0].output == "nan,inf,half,zero,big,float"
    assert set(statuses(bench.fork(run)[0]).values()) == {"reused"}
    by_hand, _ = bench.fork(run, Edit(step="passed_on", output={"more": values}))
    assert set(statuses(bench.fork(by_hand)[0]).values()) == {"reused"}
    inputs, _ = bench.fork(run, Edit(step="passed_on", inputs={"value": {"nan": float("nan"), "inf": float("inf")}}))
    assert set(statuses(bench.fork(inputs)[0]).values()) == {"reused"}


def test_the_output_of_a_whole_fan_out_is_set_by_hand(bench: Bench) -> None:
    fork, calls = bench.fork(bench.run(), Edit(step="each", output=["one", "two", "three"]))
    assert (calls, fork.output.text) == (["critique"], "Critique one / two / three")
    assert "summarise[0]" not in fork.steps


# -- items, rounds, branches, sub-chains ------------------------------------------------------------------------------


def test_one_item_is_edited_and_the_others_are_reused(bench: Bench) -> None:
    fork, calls = bench.fork(bench.run(), Edit(step="summarise[1]", template="Note {{ topic }}"))
    assert calls == ["summarise[1]", "critique"]
    assert fork.output.text == "Critique <Summarise tea> / <Note bread>"


def test_items_are_matched_by_what_they_are_each_as_often_as_it_was_there(bench: Bench) -> None:
    bench.model.topics = ["tea", "bread", "tea"]
    run = bench.run()
    edit = Edit(step="extract", output={"topics": ["bread", "tea", "tea", "tea", "salt"]})
    fork, calls = bench.fork(run, edit, scope="changed")
    assert calls == ["summarise[3]", "summarise[4]", "critique"]
    assert [bench.origins(fork)[f"summarise[{n}]"] for n in range(3)] == [
        (run.id, "summarise[1]"),
        (run.id, "summarise[0]"),
        (run.id, "summarise[2]"),
    ]


MOVED = Edit(step="extract", output={"topics": ["bread", "salt", "tea"]})


@pytest.mark.parametrize(
    ("edit", "note"),
    [
        (Edit(step="summarise[1]", template="Note {{ topic }}"), "<Note bread>"),
        (Edit(step="summarise[1]", output="by hand"), "by hand"),
        (Edit(step="summarise[1]", inputs={"topic": "jam"}), "<Summarise jam>"),
    ],
    ids=["template", "output", "inputs"],
)
def test_an_edit_of_an_item_follows_the_item_to_its_new_place(bench: Bench, edit: Edit, note: str) -> None:
    edited, _ = bench.fork(bench.run(), edit)
    moved, calls = bench.fork(edited, MOVED, scope="changed")
    assert calls == ["summarise[1]", "critique"]  # only salt is new
    assert moved.output.text == f"Critique {note} / <Summarise salt> / <Summarise tea>"
    assert bench.fork(moved)[1] == []
    again, calls = bench.fork(moved, Edit(step="summarise[1]", template="Much {{ topic }}"))
    assert calls == ["summarise[1]", "critique"]  # salt; the edit of bread is no edit of what stands there now
    assert again.output.text == f"Critique {note} / <Much salt> / <Summarise tea>"
    assert bench.fork(again)[1] == []


def test_a_second_edit_of_an_item_adds_to_the_first(bench: Bench) -> None:
    first, _ = bench.fork(bench.run(), Edit(step="summarise[1]", template="Note {{ topic }}"))
    moved, _ = bench.fork(first, MOVED, scope="changed")
    second, calls = bench.fork(moved, Edit(step="summarise[0]", model="wise"))
    assert calls == ["summarise[0]", "critique"]
    assert (second.steps["summarise[0]"].output, second.steps["summarise[0]"].model) == ("<Note bread>", "wise")
    assert bench.fork(second)[1] == []


@pytest.mark.parametrize("before", [{"template": "Note {{ topic }}"}, {"output": "by hand"}], ids=str)
def test_an_edit_of_a_step_as_declared_replaces_those_of_its_items(bench: Bench, before: dict[str, Any]) -> None:
    edited, _ = bench.fork(bench.run(), Edit(step="summarise[1]", **before))
    whole = Edit(step="summarise", template="All {{ topic }}")
    plan = bench.lab.plan_replay(edited, edits=[whole]).plan
    assert plan.notes == ("summarise[1]: the edit of this one alone is replaced by that of 'summarise'",)
    fork, calls = bench.fork(edited, whole)
    assert calls == ["summarise[0]", "summarise[1]", "critique"]
    assert bench.fork(fork)[1] == []


def test_the_order_of_edits_does_not_matter(bench: Bench) -> None:
    whole, item = Edit(step="summarise", model="wise"), Edit(step="summarise[1]", template="Note {{ topic }}")
    run = bench.run()
    for edits in ([whole, item], [item, whole]):
        fork, _ = bench.fork(run, *edits)
        assert fork.steps["summarise[1]"].output == "<Note bread>"
        assert [fork.steps[f"summarise[{n}]"].model for n in (0, 1)] == ["wise", "wise"]


class Verdict(BaseModel):
    good: bool


@prompt("draft {{ text }}")
def draft(text: str) -> str:
    return fill()


@prompt("judge {{ text }}")
def judge(text: str) -> Verdict:
    return fill()


@prompt("better {{ text }}")
def better(text: str) -> str:
    return fill()


@prompt("long? {{ text }}")
def is_long(text: str) -> bool:
    return fill()


@prompt("cut {{ text }}")
def cut(text: str) -> str:
    return fill()


@prompt("pad {{ text }}")
def pad(text: str) -> str:
    return fill()


@chain
def first_draft(text: str) -> str:
    return draft(text)


@chain
def essay(text: str) -> str:
    done = refine(
        first_draft(text),
        review=lambda text: judge(text),
        accept=lambda verdict: verdict.good,
        improve=lambda text, _: better(text),
        max_rounds=3,
    )
    return when(is_long(done.value), lambda: cut(done.value), lambda: pad(done.value))


def answer(request: Request, said: str) -> Any:
    """Accepts what was bettered; everything is long."""
    if said.startswith("judge"):
        return Verdict(good="better" in said or "finer" in said)
    return True if said.startswith("long?") else f"<{said}>"


@pytest.fixture
def essays(tmp_path: Path) -> Iterator[Bench]:
    model = Model(answer=answer)
    with model.open(tmp_path / "essays.db") as lab:
        yield Bench(lab, model)


@pytest.mark.parametrize("name", ["first_draft/draft", "draft"], ids=["by path", "by the prompt's name"])
def test_a_step_of_a_sub_chain_is_edited(essays: Bench, name: str) -> None:
    run = essays.run(essay, "x")
    fork, calls = essays.fork(run, Edit(step=name, template="sketch {{ text }}"), scope="step")
    assert (calls, fork.steps["first_draft/draft"].output) == (["first_draft/draft"], "<sketch x>")
    by_hand, _ = essays.fork(run, Edit(step=name, output="my draft"))
    assert by_hand.output == "<cut <better my draft>>"
    assert essays.fork(by_hand)[1] == []


def test_one_round_of_a_refine_is_edited(essays: Bench) -> None:
    run = essays.run(essay, "x")
    assert run.steps["refine"].output["rounds"] == 2
    fork, calls = essays.fork(run, Edit(step="better@2", template="finer {{ text }}"))
    assert calls == ["better@2", "judge@2", "is_long", "cut"]
    assert fork.output == "<cut <finer <draft x>>>"
    shorter, calls = essays.fork(run, Edit(step="judge@1", output={"good": True}))
    assert calls == ["is_long", "cut"]
    assert shorter.output == "<cut <draft x>>"
    assert essays.fork(shorter)[1] == []


def test_a_branch_is_turned(essays: Bench) -> None:
    fork, calls = essays.fork(essays.run(essay, "x"), Edit(step="is_long", output=False))
    assert (calls, fork.output) == (["pad"], "<pad <better <draft x>>>")
    assert (fork.steps["cut"].status, fork.steps["cut"].cause_path) == ("skipped", "when")


def test_an_edit_of_a_step_that_is_not_reached_is_said_to_have_no_effect(essays: Bench) -> None:
    run = essays.run(essay, "x")
    plan = essays.lab.plan_replay(run, edits=[Edit(step="pad", template="stuff {{ text }}")]).plan
    assert plan.notes == ("pad: as far as the record tells, this step is not reached, and its edit has no effect",)
    by_hand, _ = essays.fork(run, Edit(step="first_draft", output="mine"))
    plan = essays.lab.plan_replay(by_hand, edits=[Edit(step="draft", template="sketch {{ text }}")]).plan
    assert [note.partition(":")[0] for note in plan.notes] == ["first_draft/draft"]


@chain
def letters(names: list[str]) -> list[str]:
    return each(names, lambda name: first_draft(name))


def test_a_sub_chain_in_a_fan_out_is_edited_for_one_item(essays: Bench) -> None:
    run = essays.run(letters, ["a", "b"])
    edit = Edit(step="first_draft[1]/draft", template="sketch {{ text }}")
    fork, calls = essays.fork(run, edit)
    assert (calls, fork.output) == (["first_draft[1]/draft"], ["<draft a>", "<sketch b>"])
    assert essays.fork(fork)[1] == []


# -- bind -------------------------------------------------------------------------------------------------------------


def test_a_new_variable_is_bound_to_an_input_or_to_what_came_before(bench: Bench) -> None:
    run = bench.run()
    template = "{{ article }} | {{ text }} | {{ first }} | {{ found.topics | length }}"
    bind = {"text": "text", "first": "extract.topics[0]", "found": "extract"}
    fork, calls = bench.fork(run, Edit(step="critique", template=template, bind=bind))
    assert calls == ["critique"]
    assert fork.output.text == "<Summarise tea> / <Summarise bread> | a letter | tea | 2"
    query = "SELECT name, from_path, from_field FROM step_inputs WHERE run_id = ? AND path = 'critique' ORDER BY name"
    assert bench.rows(query, fork.id)[1:] == [
        ("first", "extract", "topics[0]"),
        ("found", "extract", None),
        ("text", "$input", "text"),
    ]
    assert bench.fork(fork)[1] == []


def test_a_bound_step_follows_what_it_is_bound_to(bench: Bench) -> None:
    edit = Edit(step="summarise", template="{{ topic }} in {{ text }}", bind={"text": "text"})
    bound, _ = bench.fork(bench.run(), edit)
    _, calls = bench.fork(bound, Edit(step="$input", inputs={"text": "a poem"}), scope="changed")
    assert calls == ["extract", "summarise[0]", "summarise[1]", "critique"]


BINDS: dict[str, tuple[Edit, str, str]] = {
    "a circle": (
        Edit(step="extract", template="{{ text }}{{ more }}", bind={"more": "critique.text"}),
        "cycle",
        "extract -> each -> join -> critique -> extract",
    ),
    "itself": (Edit(step="critique", template="{{ x }}", bind={"x": "critique.text"}), "cycle", "critique -> critique"),
    "an unknown name": (Edit(step="critique", template="{{ x }}", bind={"x": "extrat"}), "dangling-ref", "'extract'?"),
    "an unknown field": (
        Edit(step="critique", template="{{ x }}", bind={"x": "extract.topic"}), "unknown-field", "'topics'?"
    ),
    "the inside of a fan-out": (
        Edit(step="critique", template="{{ x }}", bind={"x": "summarise"}), "dangling-ref", "each"
    ),
    "no value": (Edit(step="critique", template="{{ x }}", bind={"x": "1 + 1"}), "bad-bind", "extract.topics[0]"),
    "no variable": (Edit(step="critique", template="{{ x }}", bind={"a b": "text"}), "bad-bind", "plain name"),
    "one item": (
        Edit(step="summarise[0]", template="{{ x }}", bind={"x": "text"}), "bad-edit", "edit 'summarise' as a whole"
    ),
    "not bound, but there": (
        Edit(step="critique", template="{{ article }} {{ text }}"), "template-variable", "bind={'text': 'text'}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BINDS, ids=str)
def test_a_wrong_bind_says_what_is_wrong_as_a_declaration_does(bench: Bench, case: str) -> None:
    edit, code, words = BINDS[case]
    run = bench.run()
    with pytest.raises(ChainError) as caught:
        bench.lab.replay_sync(run, edits=[edit])
    assert caught.value.code == code
    assert words in str(caught.value)
    assert (bench.count(), bench.model.take()) == (1, [])


def test_an_edited_template_that_uses_less_is_noted_and_runs(bench: Bench) -> None:
    run = bench.run()
    edit = Edit(step="critique", template="Say something about {{ text }}", bind={"text": "text", "found": "extract"})
    notes = bench.lab.plan_replay(run, edits=[edit]).plan.notes
    assert notes == (
        "critique: the edited template does not use 'article' any more",
        "critique: the edited template does not use 'found'",
    )
    assert bench.fork(run, edit)[1] == ["critique"]


# -- wrong edits ------------------------------------------------------------------------------------------------------

_ZERO = Edit(step="critique", template="x {{ article }}")
WRONG: dict[str, tuple[Any, str, str]] = {
    "no such step": ([Edit(step="critqiue", seed=1)], "unknown-step", "did you mean 'critique'?"),
    "no such item": ([Edit(step="summarise[7]", seed=1)], "unknown-step", "did you mean 'summarise["),
    "no step": ([Edit(step="", seed=1)], "unknown-step", "chainlab show RUN"),
    "nothing": ([Edit(step="critique")], "empty-edit", "give it a template"),
    "no inputs": ([Edit(step="critique", inputs={})], "empty-edit", "give it a template"),
    "a prompt's part for a Python step": ([Edit(step="join", template="x")], "bad-edit", "it has no template"),
    "a template for a fan-out": ([Edit(step="each", template="x")], "bad-edit", "edit a step inside it"),
    "an output and a template": ([Edit(step="critique", template="x", output=None)], "bad-edit", "one or the other"),
    "an output and a template, in two": ([_ZERO, Edit(step="critique", output=None)], "bad-edit", "one or the other"),
    "two templates": ([_ZERO, _ZERO], "bad-edit", "say it once"),
    "an item under an output by hand": (
        [Edit(step="summarise", output="x"), Edit(step="summarise[0]", seed=1)], "bad-edit", "edit 'summarise' as a"
    ),
    "an unknown variable": ([Edit(step="critique", template="{{ artcle }}")], "template-variable", "`article`?"),
    "an unknown field": ([Edit(step="critique", template="{{ article.x }}")], "template-path", "no field `x`"),
    "half a template": ([Edit(step="critique", template="{{ article")], "template-syntax", "correct the template"),
    "an include": ([Edit(step="critique", template="{% include 'x' %}")], "template-tag", "not allowed"),
    "an unknown input": ([Edit(step="critique", inputs={"artcle": "x"})], "extra-argument", "'article'?"),
    "an input of another type": ([Edit(step="critique", inputs={"article": 5})], "wrong-type", "should be text"),
    "an output of another type": ([Edit(step="critique", output={"score": "x", "text": ""})], "wrong-type", "score"),
    "an output out of bounds": ([Edit(step="critique", output={"score": 99, "text": ""})], "wrong-type", "maximum"),
    "an output that lacks a field": ([Edit(step="critique", output={"score": 1})], "wrong-type", "'text' is"),
    "a fan-out's output of another type": ([Edit(step="each", output=[1])], "wrong-type", "[0]"),
    "an unknown input of the run": ([Edit(step="$input", inputs={"txt": "x"})], "extra-argument", "one of: text"),
    "an input of the run of another type": ([Edit(step="$input", inputs={"text": 5})], "wrong-type", "should be text"),
    "a template for the run's inputs": ([Edit(step="$input", template="x")], "bad-edit", "give it inputs"),
    "half a character": ([Edit(step="critique", template="\ud800")], "bad-edit", "whole characters"),
    "an input that is no JSON": ([Edit(step="join", inputs={"notes": object()})], "bad-edit", "plain JSON"),
    "an output that is no JSON": ([Edit(step="join", output=object())], "wrong-type", "not JSON serializable"),
    "no list": (Edit(step="critique", seed=1), "bad-edit", "write edits=[Edit("),
    "no edits": ([{"step": "critique", "seed": 1}], "bad-edit", "write edits=[Edit("),
    "text": ("critique", "bad-edit", "write edits=[Edit("),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_edit_is_one_error_and_nothing_is_called_or_written(bench: Bench, case: str) -> None:
    edits, code, words = WRONG[case]
    run = bench.run()
    for ask in (bench.lab.plan_replay, bench.lab.replay_sync):
        with pytest.raises((ChainError, ReplayError)) as caught:
            ask(run, edits=edits)
        assert caught.value.code == code
        assert words in str(caught.value)
        assert len(str(caught.value).splitlines()) <= 10
    assert (bench.count(), bench.model.take()) == (1, [])


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"scope": "steps"}, "step, descendants, changed, all"),
        ({"on_drift": "ignore"}, "refuse, reuse, rerun"),
        ({"on_effects": "yes"}, "refuse, run, skip"),
    ],
    ids=str,
)
def test_a_word_that_is_no_option_is_refused(bench: Bench, option: dict[str, Any], words: str) -> None:
    run = bench.run()
    with pytest.raises(ReplayError, match=words) as caught:
        bench.lab.replay_sync(run, **option)
    assert (caught.value.code, bench.count()) == ("bad-option", 1)


@pytest.mark.parametrize("wrong", [{"temperature": -1}, {"max_tokens": 0}, {"top_p": 2}, {"templat": "x"}], ids=str)
def test_what_no_edit_can_say_is_refused_when_it_is_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Edit(step="critique", **wrong)


def test_an_unknown_model_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # settings of nobody
    (tmp_path / "chainlab.toml").write_text("")
    with Model().open(tmp_path / "t.db") as lab:
        run = lab.run_sync(brief, "x")
    with Lab.open(tmp_path / "t.db") as lab:
        with pytest.raises(ConfigError) as caught:
            lab.replay_sync(run, edits=[Edit(step="critique", model="nobody")], on_drift="reuse")
        assert caught.value.code == "unknown-model"
        assert len(lab.runs()) == 1


def test_the_authors_chain_may_ask_for_more_than_the_run_was_given(bench: Bench) -> None:
    @chain(name="brief")
    def longer(text: str, tone: str) -> Review:
        notes = each(extract(text).topics, lambda topic: summarise(topic))
        return critique_in(join(notes), tone)

    run = bench.run()
    with pytest.raises(ChainError, match="was not given") as caught:
        bench.lab.replay_sync(run, chain=longer)
    assert (caught.value.code, bench.count()) == ("run-input", 1)
    given = Edit(step="$input", inputs={"tone": "mild"})
    fork, calls = bench.fork(run, given, chain=longer)
    assert calls == ["critique_in"]
    assert fork.output.text == "In a mild tone: <Summarise tea> / <Summarise bread>"


@prompt("In a {{ tone }} tone: {{ article }}")
def critique_in(article: str, tone: str) -> Review:
    return fill()


@step
def count(text: int) -> int:
    return text


@chain(name="brief")
def another(text: int) -> int:
    return count(text)


def test_the_runs_inputs_are_held_against_the_authors_chain_of_now(bench: Bench) -> None:
    run = bench.run()
    with pytest.raises(ChainError, match="does not fit the chain's type of now") as caught:
        bench.lab.replay_sync(run, chain=another)
    assert (caught.value.code, bench.count()) == ("run-input", 1)


def test_a_fork_that_fails_says_where_as_any_run_does(bench: Bench) -> None:
    run = bench.run()
    bench.model.fails.add("kind")
    fork, calls = bench.fork(run, Edit(step="critique", template="Be kind about {{ article }}"))
    assert (fork.status, fork.parent_id) == ("failed", run.id)
    assert calls == ["critique"]
    with pytest.raises(RunFailed, match=f"run {fork.id} failed at critique: RuntimeError: the model is away"):
        _ = fork.output
