"""Which failures of a backend are tried again, how often, after what wait, and which go on to another model.

The one retry layer: nothing underneath tries again. docs/faults.md has the table for users; a test compares.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 8.0

RETRIES: Mapping[str, int | None] = {
    "rate-limited": 5,
    "unavailable": None,  # as often as the backend's `retries` says
    "timeout": None,  # the step's own limit
    "timeout-connect": None,
    "timeout-first-token": 1,
    "timeout-between-tokens": 1,
    "stream-interrupted": 1,
    "protocol-error": 1,
    "empty-response": 1,
    "structured-refused": 2,
    "adapter-unloaded": 1,
}
"""How often a step tries again after a failure of this kind, where the failure may pass at all."""

AT_ONCE = frozenset({"timeout", "structured-refused", "adapter-unloaded"})
"""What is tried again without a wait: waiting changes nothing."""

DRAWS_ON_BUDGET = frozenset({"unavailable", "timeout-connect"})
"""What a backend that is down or overloaded says: retries of these are bounded over all steps together."""

NOT_ELSEWHERE = frozenset(
    {"bad-request", "output-invalid", "truncated", "budget-exceeded", "deadline-exceeded", "template-value"}
)
"""What another model is not asked about: the request is wrong, the reply was judged, or the money is spent."""


def retries(code: str, own: int) -> int:
    """How often to try again. `own`: how often the backend says (0: never)."""
    if not own:
        return 0
    most = RETRIES.get(code)
    return own if most is None else most


def backoff(code: str, failures: int, asked_s: float | None) -> float:
    """Seconds to wait before a try: as long as the backend asked, else by chance up to a doubling limit (full jitter).

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    if asked_s is not None:
        return asked_s
    if code in AT_ONCE:
        return 0.0
    return random.uniform(0, min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2**failures))
