"""Frozen data that is cheap to make: for what is made several times in every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def fact(cls: type[T]) -> type[T]:
    """A dataclass that type checkers hold frozen.

    At run time it is not: that would cost 2 µs for each that is made.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
