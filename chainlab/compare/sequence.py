"""What two sequences have in common, in order. Knows neither text nor JSON.

difflib finds this too, but in a time that grows with the square or the cube of the length and cannot be limited. Here
every basic step is counted, and where the count is used up the answer is coarser, never late.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Sequence

_DEEPEST = 8  # splittings at unique items inside each other


class Effort:
    """The basic steps (about 10 million a second) that a comparison may still take; shared by all of its parts."""

    __slots__ = ("left",)

    def __init__(self, steps: int = 3_000_000) -> None:
        self.left = steps


def common(a: Sequence[Hashable], b: Sequence[Hashable], effort: Effort) -> tuple[list[tuple[int, int, int]], bool]:
    """Runs of equal items as (index in a, index in b, length), rising in both, as long together as possible.

    The second value is False when the effort was used up and equal items may have been missed.
    """
    pairs, whole = _pairs(a, b, range(len(a)), range(len(b)), effort, 0)
    runs: list[tuple[int, int, int]] = []
    for i, j in pairs:
        if runs and (i, j) == (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]):
            runs[-1] = (runs[-1][0], runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((i, j, 1))
    return runs, whole


Pairs = list[tuple[int, int]]


def _pairs(
    a: Sequence[Hashable], b: Sequence[Hashable], left: Sequence[int], right: Sequence[int], effort: Effort, depth: int
) -> tuple[Pairs, bool]:
    """Pairs of equal items among those at the indices `left` of a and `right` of b."""
    head = 0
    shorter = min(len(left), len(right))
    while head < shorter and a[left[head]] == b[right[head]]:
        head += 1
    tail = 0
    while tail < shorter - head and a[left[-1 - tail]] == b[right[-1 - tail]]:
        tail += 1
    first = list(zip(left[:head], right[:head], strict=True))
    last = list(zip(left[len(left) - tail :], right[len(right) - tail :], strict=True))
    left, right = left[head : len(left) - tail], right[head : len(right) - tail]
    # An item that the other side has not can be in no pair: without it, what is left is often short.
    here, there = {a[i] for i in left}, {b[j] for j in right}
    left, right = [i for i in left if a[i] in there], [j for j in right if b[j] in here]
    middle, whole = _shortest(a, b, left, right, effort), True
    if middle is None:
        middle, whole = _split(a, b, left, right, effort, depth), False
    return [*first, *middle, *last], whole


def _shortest(
    a: Sequence[Hashable], b: Sequence[Hashable], left: list[int], right: list[int], effort: Effort
) -> Pairs | None:
    """The longest common part (Myers 1986), or None when it takes more than half of the effort that is left."""
    n, m = len(left), len(right)
    if not n or not m:
        return []
    allowed = effort.left // 2
    reach = [-1] * (2 * (n + m) + 3)  # by diagonal: how far in `left` one comes with the differences so far
    zero = n + m + 1
    reach[zero + 1] = 0
    trail: list[list[int]] = []
    for d in range(n + m + 1):
        trail.append(reach[zero - d - 1 : zero + d + 2])
        spent = 2 * d + 2
        for k in range(max(-d, d - 2 * m), min(d, 2 * n - d) + 1, 2):
            down = k == -d or (k != d and reach[zero + k - 1] < reach[zero + k + 1])
            x = reach[zero + k + 1] if down else reach[zero + k - 1] + 1
            y = x - k
            start = x
            while x < n and y < m and a[left[x]] == b[right[y]]:
                x += 1
                y += 1
            spent += x - start
            reach[zero + k] = x
            if x >= n and y >= m:
                effort.left -= spent
                return [(left[i], right[j]) for i, j in _back(trail, n, m)]
        effort.left -= spent
        allowed -= spent
        if allowed <= 0:
            return None
    raise AssertionError("n + m differences always suffice")


def _back(trail: list[list[int]], x: int, y: int) -> Pairs:
    """The pairs on the way back from (x, y), in rising order."""
    found: Pairs = []
    for d in range(len(trail) - 1, -1, -1):
        reach, zero = trail[d], d + 1
        k = x - y
        down = k == -d or (k != d and reach[zero + k - 1] < reach[zero + k + 1])
        came = k + 1 if down else k - 1
        came_x = reach[zero + came] if d else 0
        came_y = came_x - came if d else 0
        while x > came_x and y > came_y:
            x, y = x - 1, y - 1
            found.append((x, y))
        x, y = came_x, came_y
    return found[::-1]


def _split(
    a: Sequence[Hashable], b: Sequence[Hashable], left: list[int], right: list[int], effort: Effort, depth: int
) -> Pairs:
    """Pair the items that are unique on both sides, and look on between them."""
    once = Counter(a[i] for i in left), Counter(b[j] for j in right)
    at = {b[j]: place for place, j in enumerate(right)}
    unique = [
        (place, at[item]) for place, i in enumerate(left) if once[0][item := a[i]] == 1 and once[1].get(item) == 1
    ]
    anchors = _rising(unique)
    if not anchors or depth == _DEEPEST:
        return []
    found: Pairs = []
    x = y = 0
    for i, j in [*anchors, (len(left), len(right))]:
        found += _pairs(a, b, left[x:i], right[y:j], effort, depth + 1)[0]
        if i < len(left):
            found.append((left[i], right[j]))
        x, y = i + 1, j + 1
    return found


def _rising(pairs: Pairs) -> Pairs:
    """The longest part of pairs, rising in their first, that rises in their second too."""
    ends: list[int] = []  # the smallest second with which a rising part of each length can end
    last: list[int] = []
    before: list[int | None] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else None)
        if length == len(ends):
            ends.append(j)
            last.append(number)
        else:
            ends[length], last[length] = j, number
    found: Pairs = []
    at = last[-1] if last else None
    while at is not None:
        found.append(pairs[at])
        at = before[at]
    return found[::-1]
