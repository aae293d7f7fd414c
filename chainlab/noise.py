"""Is a difference between two sets of outputs the edit, or sampling noise? A permutation test; knows no run, no store.

The question: could the edited outputs have come from the prompt before the edit? If so, which outputs stand in which
arm is chance, and every other way to deal them into two arms of these sizes was as likely as the one that happened.

Statistic: 2 x mean(between) - mean(within control) - mean(within edited), over the distances of all pairs of different
outputs: how much farther the arms are from each other than outputs of one arm are (energy distance, unbiased form).
p is the share of all splits whose statistic is at least the observed one: exact where there are few splits, else over
random splits, the observed one counted among them.

Distance of two outputs, 0 to 1, symmetric:

    text        1 - shared / all, over words, signs, line breaks and pairs of neighbours, counted as often as they
                stand there (Jaccard distance of multisets); scripts without spaces: over characters; text without a
                space (a label) is equal or not
    number      1 - smaller / larger; of different signs: 1
    true, null  equal or not
    object,     the mean over all leaf paths that either has, a leaf that only one has counts 1; list items are
    list        leaves by position; so is a value of another type
    MISSING     (the run gave no output) equals itself and nothing else

Sources: Szekely and Rizzo, Energy statistics: a class of statistics based on distances, J. Stat. Planning and Inference
143 (2013); Gretton and others, A kernel two-sample test, JMLR 13 (2012), for the unbiased form; Lehmann and Romano,
Testing Statistical Hypotheses, chapter 15, for why the level is exact; Phipson and Smyth, Permutation P-values should
never be zero, Stat. Appl. Genetics and Mol. Biology 9 (2010), for the +1; Broder, On the resemblance and containment of
documents (1997), for shingles; Kosub, A note on the triangle inequality for the Jaccard distance, Pattern Recognition
Letters 120 (2019).

Limits: "noise" means that these outputs do not show a difference, not that there is none. Words are compared, not
meanings: a paraphrase is a difference, a wrong number in a long text a small one. It tells that outputs differ, never
which are better. One question at one level: of twenty edits that change nothing, about one is called an edit at 0.05.
The runs must be independent, with a seed each; a server that answers from a cache, or that changed between the arms,
is seen as an edit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from operator import itemgetter, sub
from random import Random
from typing import Any, Final, Literal, TypeAlias

from chainlab.errors import ChainError
from chainlab.values.codec import Json, encode

Label: TypeAlias = Literal["edit", "noise", "too-few"]

MOST_EXACT = 50_000  # splits: up to 9 + 9 outputs, less than a tenth of a second
DRAWS = 9_999  # random splits: at p = 0.05 the standard error is 0.002
WORK = 25_000_000  # distances that random splits may look up, 1 to 2 s: 50 + 50 outputs still have all draws
FEWEST_DRAWS = 999
LEAST_LEVEL = 0.001  # what the fewest draws can reach


class Missing(Enum):
    """The type of MISSING."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING
"""Stands for the output of a run that has none: it failed or was cancelled. `None` is an output, JSON's null."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the outputs show. `permutations`: the splits looked at; `note`: how, and what is odd about the outputs.

    edit: `p_value` is at most `level`. noise: it is not. too-few: no outcome could have reached the level.
    """

    label: Label
    p_value: float
    statistic: float
    level: float
    n_control: int
    n_edited: int
    permutations: int
    note: str


def judge(control: Sequence[Json], edited: Sequence[Json], *, level: float = 0.05, seed: int = 0) -> Verdict:
    """Whether edited outputs differ from control outputs by more than chance at a level.

    At most `level` of edits that change nothing are called "edit". The order within an arm and which arm is which do
    not matter. `seed` chooses the random splits where there are too many to look at all. Raises ChainError
    `bad-option` for a level below 0.001 (random splits cannot tell) or not below 1.
    """
    if not LEAST_LEVEL <= level < 1:
        raise ChainError(
            f"level={level!r} of judge(...)",
            code="bad-option",
            expected=f"a number from {LEAST_LEVEL} to 1, such as 0.05",
            remedy="give one",
        )
    n, m = len(control), len(edited)
    if min(n, m) < 2:
        note = "an arm needs two outputs at least to show how much it varies by itself"
        return Verdict("too-few", 1.0, 0.0, level, n, m, 0, note)
    table = _Table(control, edited)
    splits = math.comb(n + m, n)
    exact = splits <= MOST_EXACT
    looked = splits if exact else max(FEWEST_DRAWS, min(DRAWS, WORK // table.small**2))
    as_far = table.count_all() if exact else table.count_random(looked, Random(seed))
    p_value = as_far / looked if exact else (as_far + 1) / (looked + 1)
    least = (2 if n == m else 1) / splits if exact else 1 / (looked + 1)  # arms of one size may change places
    label: Label = "too-few" if least > level else "edit" if p_value <= level else "noise"
    how = f"all {looked:,} splits" if exact else f"{looked:,} random splits of {_rounded(splits)}"
    remarks = [how, *_remarks(control, edited)]
    if label == "too-few":
        remarks.insert(0, f"p cannot fall to {level:g} with so few outputs: take {_enough(level)} of each")
    return Verdict(label, p_value, table.statistic, level, n, m, looked, "; ".join(remarks))


def distance(one: Json, other: Json) -> float:
    """How far apart two outputs are, 0 to 1: see the head of this file."""
    return _apart(_Output(one), _Output(other))


# -- the test ----------------------------------------------------------------------------------------------------------

_SCALE = 10**9  # distances become whole numbers: sums are exact, so no order matters


class _Table:
    """All pairwise distances of the pooled outputs, and the score of a split: the statistic up to a rising line.

    A split is named by the places of its smaller arm S. With W the distances within S, R those from S to all, T all of
    them: between = R - 2W, within the rest = T - R + W. So the statistic is a x R - b x W - constant, in whole numbers.
    """

    def __init__(self, control: Sequence[Json], edited: Sequence[Json]) -> None:
        first, second = sorted((control, edited), key=len)
        outputs = [(_key(value), _Output(value), arm) for arm, values in enumerate((first, second)) for value in values]
        outputs.sort(key=itemgetter(0))  # so that random splits fall the same whatever order the outputs came in
        self.small, self.large = n, m = len(first), len(second)
        rows = _distances([(key, output) for key, output, _ in outputs])
        a, b = (n - 1) * (m - 1) + n * (n - 1), 2 * (n - 1) * (m - 1) + n * (n - 1) + m * (m - 1)
        self._gains = [a * sum(row) for row in rows]
        self._costs = [[b * apart for apart in row] for row in rows]
        self._tails = [costs[place + 1 :] for place, costs in enumerate(self._costs)]
        observed = self._score([place for place, (_, _, arm) in enumerate(outputs) if arm == 0])
        constant = n * (n - 1) * sum(map(sum, rows)) // 2
        self.statistic = 2 * (observed - constant) / (_SCALE * n * (n - 1) * m * (m - 1))
        # Splits that are as far apart stay so: less than what rounding can do to two scores is a tie.
        self._wanted = observed - a * n * (n + m - 1) - b * n * (n - 1)

    def count_all(self) -> int:
        """How many of all splits score at least the observed one."""
        if self.small != self.large:
            return self._count(0, 0, self._gains, self.small)
        return 2 * self._with(0, 0, self._gains, 0, self.small)  # each split comes twice, its arms in two orders

    def count_random(self, draws: int, random: Random) -> int:
        """How many of some random splits score at least the observed one."""
        places = range(self.small + self.large)
        return sum(self._score(random.sample(places, self.small)) >= self._wanted for _ in range(draws))

    def _score(self, places: Sequence[int]) -> int:
        pick = itemgetter(*places)  # of two places at least, so it gives a tuple
        score: int = sum(pick(self._gains)) - sum(sum(pick(self._costs[place])) for place in places) // 2
        return score

    def _count(self, score: int, start: int, gains: Sequence[int], left: int) -> int:
        """Splits that take `left` more places from `start` on; `gains`: what each of these adds to the score so far."""
        if left == 1:
            wanted = self._wanted - score
            return sum(gain >= wanted for gain in gains)
        return sum(self._with(score, start, gains, i, left) for i in range(len(gains) - left + 1))

    def _with(self, score: int, start: int, gains: Sequence[int], i: int, left: int) -> int:
        """Those of them whose first place is the i-th."""
        after = list(map(sub, gains[i + 1 :], self._tails[start + i]))
        return self._count(score + gains[i], start + i + 1, after, left - 1)


def _distances(outputs: Sequence[tuple[Hashable, _Output]]) -> list[list[int]]:
    """Every distance as a whole number; equal outputs are looked at once."""
    different = dict(outputs)
    keys = list(different)
    known = {(key, key): 0 for key in keys}
    for i, one in enumerate(keys):
        for other in keys[:i]:
            known[one, other] = known[other, one] = round(_SCALE * _apart(different[one], different[other]))
    return [[known[one, other] for other, _ in outputs] for one, _ in outputs]


def _key(value: Json) -> bytes:
    return b"" if value is MISSING else encode(value)


def _remarks(control: Sequence[Json], edited: Sequence[Json]) -> Iterator[str]:
    for name, outputs in (("control", control), ("edited", edited)):
        missing = sum(value is MISSING for value in outputs)
        if missing:
            yield f"{missing} of {len(outputs)} {name} runs have no output"
    kinds = [{_key(value) for value in outputs} for outputs in (control, edited)]
    if len(kinds[0] | kinds[1]) == 1:
        yield "all outputs are the same"
    elif len(kinds[0]) == 1:
        yield "the control does not vary at all"


def _enough(level: float) -> int:
    """The size of arms whose most extreme split reaches a level."""
    k = 2
    while 2 / math.comb(2 * k, k) > level:
        k += 1
    return k


def _rounded(number: int) -> str:
    return f"{number:,}" if number < 10**9 else f"10^{math.log10(number):.0f}"


# -- the distance ------------------------------------------------------------------------------------------------------

# Thai, Lao, Burmese, Khmer, kana, Chinese characters: one character is a word there.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[^\w\s]|\n+")
_NOT_A_LABEL = re.compile(rf"[\s{_UNSPACED}]")

_Leaves: TypeAlias = dict[tuple[str | int, ...], Any]


class _Output:
    """An output made ready: its leaves by path, each text as the set of its numbered words and pairs."""

    __slots__ = ("leaves",)

    def __init__(self, value: Json) -> None:
        self.leaves: _Leaves = {path: _prepared(leaf) for path, leaf in _walk(value)}


def _walk(value: Json) -> Iterator[tuple[tuple[str | int, ...], Json]]:
    left: list[tuple[tuple[str | int, ...], Json]] = [((), value)]
    while left:
        path, held = left.pop()
        if isinstance(held, dict) and held:
            left += [((*path, name), part) for name, part in held.items()]
        elif isinstance(held, list) and held:
            left += [((*path, place), part) for place, part in enumerate(held)]
        else:
            yield path, held


def _prepared(leaf: Json) -> Any:
    """A text of words as a set, in which the second time of a word is another element; the rest as it is."""
    if not isinstance(leaf, str) or not _NOT_A_LABEL.search(leaf):
        return leaf
    tokens: list[str] = _TOKEN.findall(leaf)
    times: dict[Hashable, int] = {}
    found: list[Hashable] = []
    for shingle in (*tokens, *zip(tokens, tokens[1:], strict=False)):
        times[shingle] = time = times.get(shingle, 0) + 1
        found.append((shingle, time))
    return frozenset(found)


def _apart(one: _Output, other: _Output) -> float:
    paths = one.leaves.keys() | other.leaves.keys()
    both = one.leaves.keys() & other.leaves.keys()
    return (sum(_leaf(one.leaves[path], other.leaves[path]) for path in both) + len(paths) - len(both)) / len(paths)


def _leaf(one: Any, other: Any) -> float:
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        shared = len(one & other)
        return 1 - shared / every if (every := len(one) + len(other) - shared) else 0.0
    if _is_number(one) and _is_number(other):
        return _numbers(one, other)
    # NaN is not equal to itself, and yet the same output.
    return 0.0 if type(one) is type(other) and (one == other or (one != one and other != other)) else 1.0


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _numbers(one: float, other: float) -> float:
    if one == other:
        return 0.0
    smaller, larger = sorted((abs(one), abs(other)))
    try:
        return 1.0 if (one < 0) != (other < 0) else 1 - smaller / larger
    except OverflowError:  # a whole number beyond every float, against a float
        return 1.0
