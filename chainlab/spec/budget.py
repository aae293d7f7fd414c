"""What a run may cost. Data only; the engine counts."""

from __future__ import annotations

from pydantic import Field

from chainlab.spec.expr import Frozen

NANO = 1_000_000_000


class Budget(Frozen):
    """What a run, or the runs of a chain, may take: model calls, tokens, money (units of the prices), seconds.

    Counted are the calls that a run makes itself: what is reused or cached is free, and a resumed run begins anew.
    Calls are counted before they are made. Tokens and costs are known when a reply is there: what is in flight by then
    may go over. Raises pydantic.ValidationError for what is not above 0.
    """

    max_calls: int | None = Field(default=None, gt=0)
    max_tokens: int | None = Field(default=None, gt=0)
    max_cost: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    deadline: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @property
    def max_cost_nano(self) -> int | None:
        """`max_cost` in billionths."""
        return None if self.max_cost is None else round(self.max_cost * NANO)


def merged(first: Budget | None, then: Budget | None) -> Budget | None:
    """The limits of both; where both have one, the second holds."""
    if first is None or then is None:
        return first or then
    return first.model_copy(update=then.model_dump(exclude_none=True))
