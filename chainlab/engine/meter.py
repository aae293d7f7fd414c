"""What a run has taken, against what it may take. Knows budgets, not what calls."""

from __future__ import annotations

import asyncio

from chainlab.errors import ErrorInfo
from chainlab.spec.budget import NANO, Budget


class Meter:
    """Counts against one budget, and against those of what is around it. `whose`: for errors."""

    __slots__ = ("_above", "_began", "_budget", "_calls", "_cost", "_tokens", "_whose")

    def __init__(self, budget: Budget, whose: str, above: Meter | None = None) -> None:
        self._budget, self._whose, self._above = budget, whose, above
        self._calls = self._tokens = self._cost = 0
        self._began = asyncio.get_running_loop().time()

    def call(self) -> None:
        """A call is made."""
        self._calls += 1
        if self._above is not None:
            self._above.call()

    def used(self, tokens: int, cost: int) -> None:
        """A reply took so much."""
        self._tokens += tokens
        self._cost += cost
        if self._above is not None:
            self._above.used(tokens, cost)

    def spent(self) -> ErrorInfo | None:
        """Why no further call may be made; None: one may."""
        budget = self._budget
        if budget.max_calls is not None and self._calls >= budget.max_calls:
            return self._error("max_calls", f"{budget.max_calls} calls", f"{self._calls} made")
        if budget.max_tokens is not None and self._tokens >= budget.max_tokens:
            return self._error("max_tokens", f"{budget.max_tokens} tokens", f"{self._tokens} used")
        most = budget.max_cost_nano
        if most is not None and self._cost >= most:
            return self._error("max_cost", f"{budget.max_cost:g}", f"{self._cost / NANO:g} spent")
        if budget.deadline is not None:
            took = asyncio.get_running_loop().time() - self._began
            if took >= budget.deadline:
                return past(self._whose, budget.deadline)
        return None if self._above is None else self._above.spent()

    def _error(self, name: str, most: str, got: str) -> ErrorInfo:
        return ErrorInfo(
            "budget-exceeded",
            f"the budget of {self._whose} is spent",
            expected=f"at most {most}",
            got=got,
            remedy=f"raise {name}, then resume: chainlab replay RUN runs what is left, with a fresh budget",
        )


def past(whose: str, seconds: float) -> ErrorInfo:
    """The error of a deadline."""
    return ErrorInfo(
        "deadline-exceeded",
        f"{whose} was not done within {seconds:g} s",
        remedy="raise deadline, then resume: chainlab replay RUN runs what is left",
    )
