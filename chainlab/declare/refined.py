"""Refined: what `refine` gives back."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict

D = TypeVar("D")
V = TypeVar("V")


class Refined(BaseModel, Generic[D, V]):
    """The last draft and its review; `accepted` says whether the review was good enough, `rounds` counts reviews."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    value: D
    review: V
    accepted: bool
    rounds: int
