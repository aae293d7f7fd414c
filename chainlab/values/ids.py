"""Ids and clocks: ids of 20 characters that sort by time; wall clock in microseconds UTC; the monotonic clock."""

from __future__ import annotations

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base 32, lower case
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]


def new_id() -> str:
    """A new id: 48 bits of milliseconds and 52 random bits, as 20 characters of base 32."""
    n = (time.time_ns() // 1_000_000 << 52) | (int.from_bytes(os.urandom(7), "big") >> 4)
    return "".join([_PAIRS[n >> place & 1023] for place in range(90, -1, -10)])


def now_us() -> int:
    """Wall clock, microseconds since 1970 UTC. For display and listing only; never subtract two of them."""
    return time.time_ns() // 1000


def monotonic_us() -> int:
    """Monotonic clock in microseconds, for durations."""
    return time.monotonic_ns() // 1000
