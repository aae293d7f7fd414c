"""The edit or sampling noise: held against brute force, against chance itself, and against replies that are random."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainlab import noise
from chainlab.errors import ChainError
from chainlab.noise import MISSING, Verdict, distance, judge
from chainlab.values.codec import Json
from tests.chance import words_of_chance

# -- what the numbers should be, the slow way --------------------------------------------------------------------------


def mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)


def statistic(control: Sequence[Json], edited: Sequence[Json]) -> float:
    """The definition, word for word."""
    within = [mean([distance(a, b) for a, b in itertools.combinations(arm, 2)]) for arm in (control, edited)]
    return 2 * mean([distance(a, b) for a in control for b in edited]) - within[0] - within[1]


def p_of_all_splits(control: Sequence[Json], edited: Sequence[Json]) -> float:
    pooled = [*control, *edited]
    observed = statistic(control, edited)
    as_far = splits = 0
    for places in itertools.combinations(range(len(pooled)), len(control)):
        arms = [pooled[i] for i in places], [pooled[i] for i in range(len(pooled)) if i not in places]
        as_far += statistic(*arms) >= observed - 1e-8  # ties: floats do not add up to the same in another order
        splits += 1
    return as_far / splits


# -- replies of a model that is not there ------------------------------------------------------------------------------


def replies(random: Random, share: float = 0.0, k: int = 8) -> list[Json]:
    return [words_of_chance(random, share) for _ in range(k)]


# -- the test ----------------------------------------------------------------------------------------------------------

values: st.SearchStrategy[Json] = st.sampled_from(
    [
        "a",
        "b",
        "red green",
        "red blue",
        "green red blue",
        {"n": 1, "of": ["x", "y"]},
        {"n": 2, "of": []},
        3,
        4.5,
        MISSING,
    ]
)


def arms(least: int, most: int) -> st.SearchStrategy[list[Json]]:
    return st.lists(values, min_size=least, max_size=most)


@given(arms(2, 4), arms(2, 4))
@settings(max_examples=40, deadline=None)
def test_it_is_the_permutation_test_that_is_defined(control: list[Json], edited: list[Json]) -> None:
    found = judge(control, edited)
    assert found.statistic == pytest.approx(statistic(control, edited), abs=1e-8)
    assert found.p_value == pytest.approx(p_of_all_splits(control, edited))
    assert found.permutations == math.comb(len(control) + len(edited), len(control))


@given(arms(4, 7), st.integers(2, 3))
@settings(max_examples=30, deadline=None)
def test_under_no_edit_a_p_of_x_or_less_comes_in_a_share_of_x_at_most(pooled: list[Json], n: int) -> None:
    # Without an edit every split of the same outputs is as likely as every other: try them all.
    splits = list(itertools.combinations(range(len(pooled)), min(n, len(pooled) - 2)))
    found = []
    for places in splits:
        rest = [pooled[i] for i in range(len(pooled)) if i not in places]
        found.append(judge([pooled[i] for i in places], rest).p_value)
    for p in found:
        assert sum(other <= p for other in found) / len(splits) <= p + 1e-12


@given(arms(2, 6), arms(2, 6), st.randoms(use_true_random=False), st.sampled_from([50_000, 0]))
@settings(max_examples=60, deadline=None)
def test_neither_order_nor_which_arm_is_which_matters(
    control: list[Json], edited: list[Json], random: Random, most_exact: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(noise, "MOST_EXACT", most_exact)  # 0: random splits, too
        patch.setattr(noise, "DRAWS", 1200)
        first = judge(control, edited)
        turned = judge(edited, control)
        shuffled = judge(random.sample(control, len(control)), random.sample(edited, len(edited)))
    assert (first.p_value, first.statistic, first.label) == (turned.p_value, turned.statistic, turned.label)
    assert first == shuffled


def test_random_splits_say_nearly_what_all_splits_say(monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(3)
    control, edited = replies(random, k=6), replies(random, 0.08, k=7)
    exact = judge(control, edited)
    monkeypatch.setattr(noise, "MOST_EXACT", 0)
    drawn = judge(control, edited)
    error = math.sqrt(exact.p_value * (1 - exact.p_value) / drawn.permutations)
    assert 0.02 < exact.p_value < 0.5  # else there would be little to compare
    assert abs(drawn.p_value - exact.p_value) < 4 * error
    assert drawn == judge(control, edited)  # the same seed, the same splits
    assert drawn.p_value != judge(control, edited, seed=1).p_value


def test_a_random_p_is_never_zero() -> None:
    found = judge(["a"] * 12, ["b"] * 12)
    assert (found.p_value, found.permutations) == (1 / 10_000, 9_999)
    assert "9,999 random splits" in found.note


def test_many_outputs_are_looked_at_with_fewer_splits_and_still_judged() -> None:
    found = judge(["a", "b"] * 100, ["a", "c"] * 100)
    assert (found.label, found.permutations) == ("edit", 999)


# -- 200 trials each ---------------------------------------------------------------------------------------------------


def labels(share: float, seed: int) -> list[str]:
    random = Random(seed)
    return [judge(replies(random), replies(random, share)).label for _ in range(200)]


def test_no_edit_is_called_an_edit_in_one_trial_of_ten_at_most() -> None:
    assert labels(0.0, seed=11).count("edit") <= 20


def test_an_edit_that_changes_one_word_in_five_is_found_in_nine_trials_of_ten_at_least() -> None:
    assert labels(0.2, seed=12).count("edit") >= 180


def test_an_edit_that_changes_how_often_a_label_is_given_is_found() -> None:
    random = Random(4)
    found = [
        judge(
            [{"label": random.choices(["bug", "praise"], [9, 1])[0], "score": random.randint(1, 3)} for _ in range(20)],
            [{"label": random.choices(["bug", "praise"], [3, 7])[0], "score": random.randint(1, 3)} for _ in range(20)],
        ).label
        for _ in range(10)
    ]
    assert found.count("edit") >= 9


# -- odd cases ---------------------------------------------------------------------------------------------------------


def test_outputs_that_are_all_the_same_are_noise() -> None:
    found = judge(["so it is"] * 8, ["so it is"] * 8)
    assert (found.label, found.p_value, found.statistic) == ("noise", 1.0, 0.0)
    assert found.note == "all 12,870 splits; all outputs are the same"


def test_where_the_control_never_varies_a_change_of_all_outputs_is_the_edit() -> None:
    found = judge(["so it is"] * 8, ["so it was"] * 8)
    assert (found.label, found.p_value) == ("edit", 2 / 12_870)
    assert "the control does not vary at all" in found.note


def test_where_the_control_never_varies_one_odd_output_is_noise() -> None:
    assert judge(["so it is"] * 8, ["so it was"] + ["so it is"] * 7).label == "noise"


def test_an_edit_that_makes_runs_fail_is_seen_and_said() -> None:
    random = Random(5)
    found = judge(replies(random), [MISSING] * 6 + replies(random, k=2))
    assert found.label == "edit"
    assert "6 of 8 edited runs have no output" in found.note
    assert judge([MISSING] * 8, [MISSING] * 8).label == "noise"


@pytest.mark.parametrize(("n", "m"), [(0, 0), (1, 1), (1, 30), (8, 1)])
def test_an_arm_of_one_output_is_too_few(n: int, m: int) -> None:
    found = judge(["a"] * n, ["b"] * m)
    assert (found.label, found.p_value, found.n_control, found.n_edited) == ("too-few", 1.0, n, m)


def test_arms_that_could_never_reach_the_level_are_too_few_and_told_how_many_would_do() -> None:
    found = judge(["a"] * 3, ["b"] * 3)
    assert (found.label, found.p_value) == ("too-few", 0.1)
    assert "take 4 of each" in found.note
    assert judge(["a"] * 4, ["b"] * 4).label == "edit"
    assert judge(["a"] * 4, ["b"] * 4, level=0.01).label == "too-few"


@pytest.mark.parametrize("level", [0.0, -1.0, 1.0, 0.0001, math.nan])
def test_a_level_that_means_nothing_is_refused(level: float) -> None:
    with pytest.raises(ChainError) as caught:
        judge(["a"] * 4, ["b"] * 4, level=level)
    assert caught.value.code == "bad-option"


def test_a_verdict_carries_what_was_asked() -> None:
    found = judge([1, 2, 3, 4], [1, 2, 3, 5], level=0.1)
    assert found == Verdict("noise", 1.0, found.statistic, 0.1, 4, 4, 70, "all 70 splits")


# -- the distance ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("the cat sat", "the cat sat", 0),
        ("the cat sat", "on a mat", 1),
        ("a b", "b a", 0.5),  # both words, neither pair: 2 of 4
        ("a b c", "a b d", 4 / 7),  # a, b, (a b) of 4 + 6 - 3
        ("go go go", "go go", 0.4),  # how often counts: 2 + 1 of 3 + 2
        ("one line two", "one line\ntwo", 0.5),  # line breaks are seen: 3 words and 1 pair of 8
        ("one  line ", "one line", 0),  # spaces are not
        ("Yes please", "yes please", 0.8),  # capitals are
        ("", "", 0),
        ("", "something said", 1),
        (" ", "\t", 0),  # no word in either
        ("in-progress", "in-review", 1),  # a label is equal or not
        ("positive", "positive", 0),
        ("今日は雨です", "今日は晴です", 6 / 14),  # by character: 5 and 3 pairs of 11 + 11 - 8
        (10, 9, 0.1),
        (10, 10.0, 0),
        (0, 0.5, 1),
        (-5, 5, 1),
        (-5, -10, 0.5),
        (2**70, 2**71, 0.5),
        (10**400, 0.5, 1),
        (10**400, 10**400, 0),
        (math.inf, math.inf, 0),
        (math.inf, -math.inf, 1),
        (math.nan, math.nan, 0),
        (math.nan, 1.0, 1),
        (True, True, 0),
        (True, False, 1),
        (True, 1, 1),
        (1, "1", 1),
        (None, None, 0),
        (None, MISSING, 1),
        (MISSING, MISSING, 0),
        ({}, {}, 0),
        ({}, [], 1),
        ({"a": 1, "b": "x"}, {"b": "x", "a": 1}, 0),
        ({"a": 1, "b": "x"}, {"a": 2, "b": "x"}, 0.25),
        ({"a": 1}, {"a": 1, "b": "x"}, 0.5),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1]}}, 0.5),
        (["a", "b"], ["b", "a"], 1),
        ([], ["a"], 1),
        ("text here", {"text": "here"}, 1),
        ("\ud800 x", "\ud800 x", 0),
    ],
)
def test_distances_are_these(one: Json, other: Json, apart: float) -> None:
    assert distance(one, other) == pytest.approx(apart)


json_values: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab \n今.", max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values)
@settings(max_examples=200, deadline=None)
def test_a_distance_is_symmetric_between_0_and_1_and_0_to_itself(one: Json, other: Json) -> None:
    assert 0 <= distance(one, other) <= 1
    assert distance(one, other) == distance(other, one)
    assert distance(one, one) == 0


@given(*[st.text("ab \n", max_size=10)] * 3)
@settings(max_examples=200, deadline=None)
def test_between_texts_no_way_round_is_shorter(one: str, two: str, three: str) -> None:
    assert distance(one, three) <= distance(one, two) + distance(two, three) + 1e-9


def test_a_value_of_absurd_depth_is_compared() -> None:
    deep: Json = "x"
    for _ in range(800):
        deep = [deep]
    assert distance(deep, deep) == 0
