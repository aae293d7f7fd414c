"""What two sequences have in common: right, as long as can be, and never late."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from chainlab.compare.sequence import Effort, common

few = st.lists(st.integers(0, 5), max_size=40)
many = st.lists(st.integers(0, 60), max_size=120)


def longest(a: Sequence[int], b: Sequence[int]) -> int:
    """The length of the longest common subsequence, the slow and plain way."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b, 1):
            row[j], before = (before + 1 if x == y else max(row[j], row[j - 1])), row[j]
    return row[-1]


def checked(a: Sequence[int], b: Sequence[int], effort: Effort) -> tuple[int, bool]:
    """How much is common, after everything that must hold of it."""
    runs, whole = common(a, b, effort)
    x = y = 0
    for i, j, length in runs:
        assert i >= x and j >= y and length > 0
        assert list(a[i : i + length]) == list(b[j : j + length])
        x, y = i + length, j + length
    return sum(length for _, _, length in runs), whole


@settings(deadline=None)
@given(few, few)
def test_with_effort_enough_nothing_common_is_missed(a: list[int], b: list[int]) -> None:
    assert checked(a, b, Effort()) == (longest(a, b), True)


@settings(deadline=None)
@given(many, many, st.integers(0, 300))
def test_with_little_effort_what_is_found_is_right_and_it_is_said(a: list[int], b: list[int], steps: int) -> None:
    found, whole = checked(a, b, Effort(steps))
    assert found == longest(a, b) or not whole


def test_unique_items_are_found_when_the_effort_is_used_up() -> None:
    a = [n for k in range(500) for n in (0, 1, k + 10)]
    b = [n for k in range(500) for n in (1, 0, k + 10)]
    found, whole = checked(a, b, Effort(100))
    assert (found >= 500, whole) == (True, False)


def test_the_effort_bounds_the_work() -> None:
    # Long, repetitive and turned round: what makes every exact method slow.
    a, b = [n % 7 for n in range(60_000)], [n * n % 7 for n in range(60_000, 0, -1)]
    effort = Effort(50_000)
    _, whole = checked(a, b, effort)
    assert not whole
    assert effort.left > -500_000  # one more line of the last try is allowed, not one more try
