"""How many calls a server may cause: what is set aside, counted and given back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainlab.inspector.budget import Budget, Claim
from chainlab.inspector.refused import Refused


def test_what_was_set_aside_and_not_needed_comes_back() -> None:
    budget = Budget(10)
    claim = budget.claim(7)
    assert budget.left == 3
    assert claim.has_made(2)
    claim.close()
    claim.close()
    assert budget.left == 8


def test_more_than_is_left_cannot_be_set_aside() -> None:
    budget = Budget(5)
    budget.claim(5)
    budget.claim(0)
    with pytest.raises(Refused) as refused:
        budget.claim(1)
    assert (refused.value.status, refused.value.code) == (429, "budget")


def test_calls_that_nobody_foresaw_are_taken_from_what_is_left() -> None:
    budget = Budget(3)
    claim = budget.claim(1)
    assert [claim.has_made(calls) for calls in (1, 2, 3, 4)] == [True, True, True, False]
    claim.close()
    assert budget.left == 0


@given(
    st.integers(0, 20),
    st.lists(st.tuples(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4)), max_size=6),
)
def test_no_more_calls_are_allowed_than_the_server_may_make(calls: int, works: list[tuple[int, list[int]]]) -> None:
    budget, allowed = Budget(calls), 0
    claims: list[Claim] = []
    for aside, counts in works:
        try:
            claim = budget.claim(aside)
        except Refused:
            continue
        claims.append(claim)
        most = 0
        for count in sorted(counts):
            if not claim.has_made(count):
                break
            most = count
        allowed += most
        assert allowed <= calls and budget.left >= 0
    for claim in claims:
        claim.close()
    assert 0 <= budget.left <= calls - allowed
