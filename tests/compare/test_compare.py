"""Two runs told row by row: which steps correspond, which differ, in what, and where it begins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainlab.compare.comparison import Comparison, StepComparison, compare
from chainlab.compare.facts import RunFacts, StepFacts
from chainlab.compare.read import read_comparison, read_facts
from chainlab.errors import StoreError
from chainlab.events import Event, StepStatus
from chainlab.store.reader import SqliteReader
from chainlab.store.store import Store
from chainlab.trace import Datum, Failure, InputHash, RunSummary, StepHashes, StepSummary, StepTrace
from tests.compare.runs import ran, reused, tell
from tests.store import facts


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "t.db", project="demo") as opened:
        yield opened


def whole(run: str, *steps: Iterator[Event], output: Any = "done", **more: Any) -> list[Event]:
    """A run from its start to its end."""
    return [
        facts.run_started(run, **more),
        *(event for step in steps for event in step),
        facts.run_finished(run, output),
    ]


def of(store: Store, a: str = "a", b: str = "b", **more: Any) -> Comparison:
    return read_comparison(store.reader, a, b, **more)


def told(found: Comparison) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(step.path, step.verdict, step.differs) for step in found.steps]


def test_equal_runs_are_equal_whatever_their_times_and_tokens(store: Store) -> None:
    tell(store, *whole("a", ran("a", "draft", "x")))
    tell(store, *whole("b", facts_with(ran("b", "draft", "x"), duration_us=9_999_999)))
    found = of(store)
    assert told(found) == [("draft", "same", ())]
    assert (found.equal, found.first_divergence, found.opened, found.relation) == (True, None, None, None)
    rows = found.steps[0].a, found.steps[0].b
    assert [row.duration_us for row in rows if row is not None] == [900, 9_999_999]


def facts_with(events: Iterator[Event], **changes: Any) -> Iterator[Event]:
    """The same events, the last of them changed."""
    *before, last = events
    yield from before
    yield replace(last, **changes)


def test_a_reused_step_is_the_same_at_a_glance_and_its_values_are_not_read(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = "x" * 5_000
    tell(store, *whole("a", ran("a", "brainstorm", long), ran("a", "draft", "one", value=long)))
    tell(
        store,
        *whole(
            "b",
            reused("b", "brainstorm", long, "a"),
            ran("b", "draft", "two", value=long, key="another template"),
            parent_run_id="a",
            root_run_id="a",
        ),
    )
    read: list[str] = []
    plain = SqliteReader.step

    def counting(self: SqliteReader, run_id: str, path: str, *, max_bytes: int = 0) -> StepTrace | None:
        read.append(path)
        return plain(self, run_id, path, max_bytes=max_bytes)

    monkeypatch.setattr(SqliteReader, "step", counting)
    found = of(store)
    assert told(found) == [("brainstorm", "reused", ()), ("draft", "changed", ("output",))]
    assert (found.relation, found.first_divergence, found.equal) == ("fork", "draft", False)
    assert read == ["draft", "draft"]
    opened = of(store, step="brainstorm").opened
    assert opened is not None
    assert (opened.path_b, opened.output, opened.prompt) == ("brainstorm", None, ())
    assert read == ["draft", "draft"]
    assert of(store, "b", "a").relation == "parent"


def test_a_step_reused_from_elsewhere_with_another_output_differs(store: Store) -> None:
    tell(store, *whole("a", ran("a", "draft", "edited")))
    tell(store, *whole("b", reused("b", "draft", "original", "old"), root_run_id="a"))
    found = of(store)
    assert told(found) == [("draft", "changed", ("output",))]
    assert found.relation == "relative"


def test_an_output_set_by_hand_is_said_to_be(store: Store) -> None:
    tell(store, *whole("a", ran("a", "draft", "x")), *whole("b", reused("b", "draft", "mine", "b")))
    assert told(of(store)) == [("draft", "changed", ("by-hand", "output"))]


def test_model_inputs_prompt_and_output_are_told_apart(store: Store) -> None:
    def step(run: str, path: str, *, value: str = "in", model: str = "small", output: str = "x") -> Iterator[Event]:
        yield facts.step_started(run, path, value)
        yield facts.attempt_started(run, path, model=model, request=facts.request(value))
        yield facts.step_finished(run, path, output)

    tell(store, *whole("a", *(step("a", path) for path in ("s1", "s2", "s3", "s4"))))
    tell(
        store,
        *whole(
            "b",
            step("b", "s1", value=facts.LONG + "more"),
            step("b", "s2", model="big"),
            step("b", "s3", output="y"),
            step("b", "s4"),
        ),
    )
    found = of(store)
    assert told(found) == [
        ("s1", "changed", ("inputs", "prompt")),
        ("s2", "changed", ("model",)),
        ("s3", "changed", ("output",)),
        ("s4", "same", ()),
    ]
    assert found.opened is not None
    assert [message.role for message in found.opened.prompt if not message.text.same] == ["user"]
    (setting,) = of(store, step="s2").opened.settings  # type: ignore[union-attr]
    assert (setting.name, setting.before, setting.after) == ("model", "local:small", "local:big")


def test_a_failure_and_its_repair_show_status_error_and_reply(store: Store) -> None:
    tell(
        store,
        facts.run_started("a"),
        facts.step_started("a", "draft", "in"),
        facts.attempt_started("a", "draft", request=facts.request("in")),
        facts.attempt_finished("a", "draft", status="failed", text='{"score": '),
        facts.step_finished("a", "draft", status="failed", error=facts.failed("no JSON", "output-invalid")),
        facts.step_skipped("a", "mail", "draft"),
        facts.run_finished("a", status="failed"),
        *whole("b", ran("b", "draft", "ok", key="k"), ran("b", "mail", "sent")),
    )
    found = of(store)
    assert told(found) == [("draft", "changed", ("status",)), ("mail", "changed", ("kind", "status"))]
    assert found.first_divergence == "draft"
    assert found.opened is not None and found.opened.reply is not None and found.opened.error is not None
    assert [chunk.text for chunk in found.opened.reply.chunks] == ['{"score": ', "ok"]
    assert (found.opened.error.before, found.opened.error.after) == (
        Failure("output-invalid", "no JSON", "draft"),
        None,
    )
    assert found.opened.output is not None
    assert [(change.kind, change.after) for change in found.opened.output.changes] == [("added", "ok")]


def test_a_composite_that_differs_only_by_what_is_inside_is_not_the_first(store: Store) -> None:
    def run(name: str, inner: str) -> list[Event]:
        return whole(
            name,
            ran(name, "each", [inner], step_kind="each", sort="0"),
            ran(name, "note[0]", "same", sort="0.0"),
            ran(name, "note[1]", inner, sort="0.1"),
        )

    tell(store, *run("a", "x"), *run("b", "y"))
    found = of(store)
    assert [step.path for step in found.steps if step.diverges] == ["each", "note[1]"]
    assert found.first_divergence == "note[1]"


def test_a_renamed_step_with_the_same_work_is_matched_and_takes_its_others_with_it(store: Store) -> None:
    tell(
        store,
        *whole("a", *(ran("a", f"sum[{n}]", f"o{n}", key=f"k{n}", sort=f"0.{n}") for n in range(3))),
        *whole(
            "b",
            ran("b", "condense[0]", "o0", key="k0", sort="0.0"),
            ran("b", "condense[1]", "other", key="edited", sort="0.1"),
            ran("b", "condense[2]", "o2", key="k2", sort="0.2"),
        ),
    )
    found = of(store)
    assert [(step.path, step.moved_from, step.verdict) for step in found.steps] == [
        ("condense[0]", "sum[0]", "same"),
        ("condense[1]", "sum[1]", "changed"),
        ("condense[2]", "sum[2]", "same"),
    ]
    assert found.step("sum[1]") is found.steps[1]


def test_inputs_and_output_of_the_runs_are_compared(store: Store) -> None:
    long = facts.LONG * 3
    tell(store, *whole("a", inputs={"text": long, "n": 1, "gone": True}, output={"title": "Tea", "n": 1}))
    tell(store, *whole("b", inputs={"text": long + "!", "n": 1}, output={"title": "Tea", "n": 2}))
    found = of(store)
    assert (found.inputs, found.equal, found.first_divergence) == (("gone", "text"), False, None)
    assert [given.name for given in found.input_diffs] == ["gone", "text"]
    assert found.output is not None
    assert [(change.path_b, change.before, change.after) for change in found.output.changes] == [(("n",), 1, 2)]


def test_runs_of_two_chains_are_compared_only_when_asked(store: Store) -> None:
    tell(store, *whole("a", ran("a", "draft", "x")), *whole("b", ran("b", "draft", "x"), chain="other"))
    with pytest.raises(StoreError, match="run a is of the chain 'brief', run b of 'other'") as refused:
        of(store)
    assert refused.value.code == "other-chain"
    assert of(store, any_chain=True).equal


def test_what_is_not_there_is_said(store: Store) -> None:
    tell(store, *whole("a", ran("a", "draft", "x")))
    with pytest.raises(StoreError, match="no run 'zz'"):
        of(store, b="zz")
    with pytest.raises(StoreError, match="did you mean 'draft'") as refused:
        of(store, b="a", step="darft")
    assert refused.value.code == "step-not-found"


def test_a_value_too_large_to_load_is_said_to_differ(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainlab.compare.read.LARGEST", 1_000)
    tell(store, *whole("a", ran("a", "draft", "x" * 2_000)), *whole("b", ran("b", "draft", "y" * 2_000)))
    opened = of(store).opened
    assert opened is not None and opened.output is not None
    assert opened.output.kind == "unread"


def test_a_chain_that_cannot_be_read_leaves_rows_comparable(store: Store) -> None:
    tell(store, *whole("a", ran("a", "draft", "x")))  # its spec is no whole chain
    assert read_facts(store.reader, "a").spec is None
    assert of(store, b="a").equal


# -- any two runs ------------------------------------------------------------------------------------------------------

_RUN = RunSummary(
    "a", "p", "brief", "00", "ok", "run", None, None, "a", None, 1, 2, 1, 0, 0, 0, 0, 0, 0, 0, None, (), 1
)
_PATHS = ["draft", "outer/draft", "critique@1", "critique@2", *(f"note[{i}]" for i in range(4))]
_PATHS += [f"grade[{i}]" for i in range(3)] + [f"cell[{i}][{j}]" for i in range(2) for j in range(3)]

hashes = st.sampled_from(["h1", "h2", "h3"])


@st.composite
def steps(draw: st.DrawFn) -> StepFacts:
    path = draw(st.sampled_from(_PATHS))
    status: StepStatus = draw(st.sampled_from(get_args(StepStatus)))
    origin = draw(st.sampled_from(["a", "b", "c"])) if status == "reused" else None
    row = StepSummary(
        run_id="?",
        path=path,
        step=path,
        kind=draw(st.sampled_from(["prompt", "code"])),
        sort=f"{_PATHS.index(path):04}",
        status=status,
        model="small",
        backend="local",
        adapter=None,
        reuse_key=draw(st.one_of(st.none(), hashes)),
        output_hash=draw(st.one_of(st.none(), hashes)),
        origin_run_id=origin,
        origin_path=None,
        cause_path=None,
        error=Failure("e", draw(st.sampled_from("xy"))) if status == "failed" else None,
        attempts=1,
        started_at=1,
        finished_at=2,
        duration_us=draw(st.integers(0, 5)),
        queue_us=None,
        ttft_us=None,
        tokens_in=1,
        tokens_out=1,
        cost_nano=None,
        change=1,
    )
    given = tuple(InputHash(name, draw(hashes), None, None) for name in ("x", "y")[: draw(st.integers(0, 2))])
    return StepFacts(
        row, StepHashes(given, draw(st.one_of(st.none(), hashes)), "local", draw(st.sampled_from("mn"))), None
    )


@st.composite
def traces(draw: st.DrawFn) -> RunFacts:
    found = draw(st.lists(steps(), max_size=12, unique_by=lambda step: step.row.path))
    inputs = (InputHash("text", draw(hashes), None, None),)
    output = draw(st.one_of(st.none(), hashes.map(lambda h: Datum(200, h, None))))
    ordered = tuple(sorted(found, key=lambda step: step.row.sort))
    return RunFacts(_RUN, None, inputs, output, ordered)


def of_run(run: RunFacts, name: str) -> RunFacts:
    """The run under another id."""
    return replace(
        run,
        run=replace(run.run, id=name, root_run_id=name),
        steps=tuple(replace(step, row=replace(step.row, run_id=name)) for step in run.steps),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(traces())
def test_a_run_does_not_differ_from_itself(run: RunFacts) -> None:
    found = compare(of_run(run, "a"), of_run(run, "a"))
    assert found.equal
    assert [step.path for step in found.steps] == [step.row.path for step in run.steps]
    assert all(step.a == step.b for step in found.steps)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(traces(), traces())
def test_every_step_of_both_runs_stands_in_the_comparison_once(a: RunFacts, b: RunFacts) -> None:
    found = compare(of_run(a, "a"), of_run(b, "b"))
    in_a = [step.a.path for step in found.steps if step.a is not None]
    in_b = [step.b.path for step in found.steps if step.b is not None]
    assert sorted(in_a) == sorted(step.row.path for step in a.steps)
    assert in_b == [step.row.path for step in b.steps]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(traces(), traces())
def test_the_other_way_round_everything_is_the_other_way_round(a: RunFacts, b: RunFacts) -> None:
    there = compare(of_run(a, "a"), of_run(b, "b"))
    back = compare(of_run(b, "b"), of_run(a, "a"))
    swapped = {"only-a": "only-b", "only-b": "only-a"}

    def plain(step: StepComparison, *, swap: bool) -> tuple[Any, ...]:
        paths = [row and row.path for row in (step.a, step.b)]
        verdict = swapped.get(step.verdict, step.verdict) if swap else step.verdict
        return (verdict, step.differs, *(paths[::-1] if swap else paths))

    assert {plain(step, swap=False) for step in there.steps} == {plain(step, swap=True) for step in back.steps}
    assert (there.equal, set(there.inputs), there.output_differs) == (back.equal, set(back.inputs), back.output_differs)
    assert (there.first_divergence is None) == (back.first_divergence is None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(traces(), st.permutations(range(4)))
def test_items_that_only_moved_are_all_the_same(run: RunFacts, order: list[int]) -> None:
    notes = [step for step in run.steps if step.row.path.startswith("note[")]
    distinct = [
        replace(step, row=replace(step.row, reuse_key=f"key {n}", status="ok", error=None))
        for n, step in enumerate(notes)
    ]
    moved = [
        replace(step, row=replace(step.row, path=f"note[{order[n]}]", sort=f"{order[n]:04}"))
        for n, step in enumerate(distinct)
    ]
    a, b = replace(run, steps=tuple(distinct)), replace(run, steps=tuple(sorted(moved, key=lambda s: s.row.sort)))
    found = compare(of_run(a, "a"), of_run(b, "b"))
    assert {step.verdict for step in found.steps} <= {"same"}
