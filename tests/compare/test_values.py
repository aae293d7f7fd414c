"""Diffs of JSON: by path, losslessly, with lists aligned."""

from __future__ import annotations

import math
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainlab.compare import values as module
from chainlab.compare.sequence import Effort
from chainlab.compare.values import Change, Path, ValueDiff, diff_values
from chainlab.values.codec import Json, encode

leaves = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, 1.0, -0.0, math.nan]), st.text(max_size=4)
)
jsons = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.sampled_from(["a", "b", "c", ""]), inner, max_size=4)
    ),
    max_leaves=25,
)


def unordered(value: Json) -> bytes:
    """A value's bytes, whatever the order of its keys."""

    def plain(part: Json) -> Json:
        if isinstance(part, dict):
            return {key: plain(part[key]) for key in sorted(part)}
        return [plain(item) for item in part] if isinstance(part, list) else part

    return encode(plain(value))


def apply(before: Json, changes: tuple[Change, ...]) -> Json:
    """What `before` becomes by the changes."""
    box = {"": deepcopy(before)}

    def holder(path: Path) -> tuple[Json, str | int]:
        at: Json = box
        for part in ("", *path[:-1]) if path else ():
            at = at[part]
        return at, path[-1] if path else ""

    def order(path: Path | None) -> list[tuple[int, str]]:
        return [(part, "") if isinstance(part, int) else (0, part) for part in path or ()]

    for change in changes:
        if change.kind == "changed" and change.path_a is not None:
            at, key = holder(change.path_a)
            at[key] = deepcopy(change.after)
    for change in sorted((c for c in changes if c.kind == "removed"), key=lambda c: order(c.path_a), reverse=True):
        assert change.path_a is not None
        at, key = holder(change.path_a)
        del at[key]
    for change in sorted((c for c in changes if c.kind == "added"), key=lambda c: order(c.path_b)):
        assert change.path_b is not None
        at, key = holder(change.path_b)
        if isinstance(at, list) and isinstance(key, int):
            at.insert(key, deepcopy(change.after))
        else:
            at[key] = deepcopy(change.after)
    return box[""]


def told(diff: ValueDiff) -> list[tuple[str, Path | None, Path | None, Json, Json]]:
    return [(c.kind, c.path_a, c.path_b, c.before, c.after) for c in diff.changes]


@settings(deadline=None)
@given(jsons, jsons, st.integers(0, 2_000))
def test_the_changes_make_the_one_value_of_the_other(before: Json, after: Json, steps: int) -> None:
    diff = diff_values(before, after, Effort(steps))
    if diff.kind == "text":
        assert diff.text is not None
        assert "".join(c.text for c in diff.text.chunks if c.op != "removed") == after
    else:
        assert unordered(apply(before, diff.changes)) == unordered(after)


@settings(deadline=None)
@given(jsons, jsons)
def test_a_value_is_the_same_only_when_its_bytes_are(before: Json, after: Json) -> None:
    assert (diff_values(before, after).kind == "same") == (encode(before) == encode(after))


@settings(deadline=None)
@given(jsons, jsons)
def test_every_change_names_what_stands_there(before: Json, after: Json) -> None:
    def at(value: Json, path: Path) -> Json:
        for part in path:
            value = value[part]
        return value

    for change in diff_values(before, after).changes:
        if change.path_a is not None:
            assert encode(at(before, change.path_a)) == encode(change.before)
        if change.path_b is not None:
            assert encode(at(after, change.path_b)) == encode(change.after)


def test_fields_are_compared_by_path() -> None:
    before = {"score": 3, "issues": ["too long"], "by": {"name": "eva"}}
    after = {"score": 5, "by": {"name": "eva", "age": 40}, "revised": None}
    assert told(diff_values(before, after)) == [
        ("changed", ("score",), ("score",), 3, 5),
        ("removed", ("issues",), None, ["too long"], None),
        ("added", None, ("by", "age"), None, 40),
        ("added", None, ("revised",), None, None),
    ]


def test_an_inserted_item_leaves_the_others_alone() -> None:
    before = [{"id": n, "text": f"item {n}"} for n in range(100)]
    after = [{"id": -1, "text": "new"}, *before[:50], {"id": 50, "text": "changed"}, *before[51:]]
    assert told(diff_values(before, after)) == [
        ("added", None, (0,), None, {"id": -1, "text": "new"}),
        ("changed", (50, "text"), (51, "text"), "item 50", "changed"),
    ]


def test_a_changed_text_in_a_value_is_compared_as_a_text() -> None:
    (change,) = diff_values({"revised": "one\ntwo\n"}, {"revised": "one\n2\n"}).changes
    assert change.text is not None
    assert [(chunk.op, chunk.text) for chunk in change.text.chunks] == [
        ("same", "one\n"),
        ("removed", "two\n"),
        ("added", "2\n"),
    ]


@pytest.mark.parametrize(("before", "after"), [(1, 1.0), (1, True), (0.0, -0.0), (None, False), ("1", 1), ([], {})])
def test_what_python_holds_equal_may_differ(before: Json, after: Json) -> None:
    assert told(diff_values([before], [after])) == [("changed", (0,), (0,), before, after)]


def test_the_order_of_keys_is_told_apart() -> None:
    diff = diff_values({"a": 1, "b": [{"x": 1, "y": 2}]}, {"a": 1, "b": [{"y": 2, "x": 1}]})
    assert (diff.kind, diff.changes, diff.reordered) == ("json", (), True)


def test_a_value_with_very_many_changes_is_one_change() -> None:
    before, after = {str(n): n for n in range(5_000)}, {str(n): -n - 1 for n in range(5_000)}
    diff = diff_values(before, after)
    assert told(diff) == [("changed", (), (), before, after)]
    assert diff.coarse


def test_a_very_long_list_is_one_change_and_what_stands_beside_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONG_LIST", 100)
    before, after = {"v": list(range(80)), "n": 1}, {"v": list(range(1, 81)), "n": 2}
    diff = diff_values(before, after)
    assert [(c.path_a, c.kind) for c in diff.changes] == [(("v",), "changed"), (("n",), "changed")]
    assert diff.coarse
    assert diff_values({"v": list(range(80))}, {"v": list(range(80))}).kind == "same"


def test_a_value_of_absurd_depth_is_compared() -> None:
    def nested(core: int) -> Json:
        value: Json = core
        for _ in range(70):
            value = {"in": [value]}
        return value

    diff = diff_values(nested(1), nested(2))
    assert diff.coarse
    assert unordered(apply(nested(1), diff.changes)) == unordered(nested(2))
