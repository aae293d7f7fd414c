"""About what replays will take, from what their calls took when they were recorded, at the prices of now. Runs nothing.

An edited template is longer or shorter than the recorded one, so every number is "about". None: nothing is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chainlab.lab.replaying import ReadyReplay
from chainlab.protocols import ResolvedModel, Usage
from chainlab.spec.path import static_path


@dataclass(frozen=True, slots=True)
class Estimate:
    """`calls` will be made for sure, `calls_at_most` perhaps; the rest is about all of these.

    `work_us`: microseconds of one call after the other; `longest_us`: of the longest run; `places`: how many calls the
    backends take at once. `unknown`: calls that nothing is known of; the sums are without them. `cost_nano`: billionths
    of a unit of the prices; None where the cost of a single call is not known.
    """

    calls: int
    calls_at_most: int
    tokens_in: int | None
    tokens_out: int | None
    work_us: int | None
    longest_us: int | None
    unknown: int
    places: int
    cost_nano: int | None = None

    def about_us(self, concurrency: int) -> int | None:
        """About how long it takes with so many runs at once, in microseconds."""
        if self.work_us is None or self.longest_us is None:
            return None
        return max(self.longest_us, round(self.work_us / max(1, min(concurrency, self.places))))


@dataclass(frozen=True, slots=True)
class _Call:
    """One call that will or may be made, and what it took then."""

    step: str
    tokens_in: int | None
    tokens_out: int | None
    duration_us: int | None
    cost_nano: int | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The calls of one replay."""

    calls: int
    calls_at_most: int
    each: tuple[_Call, ...]
    places: Mapping[str, int]


def forecast(ready: ReadyReplay) -> Forecast:
    """What one replay will call."""
    plan = ready.plan
    found = []
    places: dict[str, int] = {}
    for step in plan.steps:
        if step.kind != "prompt" or step.action not in ("execute", "decide"):
            continue
        row, static = plan.recorded.get(step.path), static_path(step.path)
        models = ready.models.get(step.path) or ready.models.get(static, ())
        if row is not None and row.status in ("ok", "failed"):
            cost = _cost(models, row.tokens_in, row.tokens_out)
            found.append(_Call(static, row.tokens_in, row.tokens_out, row.duration_us, cost))
        else:
            found.append(_Call(static, None, None, None, None))
        places |= {model.backend.name: model.backend.concurrency for model in models[:1]}
    return Forecast(plan.calls, plan.calls_at_most, tuple(found), places)


def _cost(models: Sequence[ResolvedModel], tokens_in: int | None, tokens_out: int | None) -> int | None:
    """What a call of so many tokens costs at the first of the models; None: not known."""
    price = models[0].cost if models else None
    return None if price is None or tokens_in is None or tokens_out is None else price(Usage(tokens_in, tokens_out))


def estimate(forecasts: Sequence[Forecast]) -> Estimate:
    """All replays together. A call that was not recorded counts as the mean of the others of its step."""
    calls = [call for one in forecasts for call in one.each]
    tokens_in = _means((call.step, call.tokens_in) for call in calls)
    tokens_out = _means((call.step, call.tokens_out) for call in calls)
    costs = _means((call.step, call.cost_nano) for call in calls)
    took = _means((call.step, call.duration_us) for call in calls)
    lengths = [_sum((call.duration_us, took.get(call.step)) for call in one.each) for one in forecasts]
    known = [length for length in lengths if length is not None]
    places = {name: count for one in forecasts for name, count in one.places.items()}
    return Estimate(
        calls=sum(one.calls for one in forecasts),
        calls_at_most=sum(one.calls_at_most for one in forecasts),
        tokens_in=_sum((call.tokens_in, tokens_in.get(call.step)) for call in calls),
        tokens_out=_sum((call.tokens_out, tokens_out.get(call.step)) for call in calls),
        work_us=sum(known) if known else None,
        longest_us=max(known) if known else None,
        unknown=sum(call.step not in took for call in calls),
        places=sum(places.values()),
        cost_nano=_sum_of_all((call.cost_nano, costs.get(call.step)) for call in calls),
    )


def _means(numbers: Iterable[tuple[str, int | None]]) -> Mapping[str, float]:
    by_step: dict[str, list[int]] = defaultdict(list)
    for step, number in numbers:
        if number is not None:
            by_step[step].append(number)
    return {step: sum(some) / len(some) for step, some in by_step.items()}


def _sum(numbers: Iterable[tuple[int | None, float | None]]) -> int | None:
    """The sum of what is known, of each number else of its mean; None: of nothing is anything known."""
    found = [own if own is not None else mean for own, mean in numbers]
    known = [number for number in found if number is not None]
    return round(sum(known)) if known else None


def _sum_of_all(numbers: Iterable[tuple[int | None, float | None]]) -> int | None:
    """The sum, of each number else of its mean; None: of one nothing is known."""
    found = [own if own is not None else mean for own, mean in numbers]
    return None if any(number is None for number in found) else round(sum(number or 0 for number in found))
