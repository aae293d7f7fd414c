"""Narrower into wider is fine."""
from typing import Any, Literal

from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Base(BaseModel):
    name: str


class Child(Base):
    age: int


@prompt("{{ text }}")
def number(text: str) -> int: return fill()


@prompt("{{ text }}")
def kind(text: str) -> Literal["a", "b"]: return fill()


@prompt("{{ text }}")
def child(text: str) -> Child: return fill()


@prompt("{{ text }}")
def either(text: str) -> int | str: return fill()


@prompt("{{ a }}{{ b }}{{ c }}{{ d.name }}{{ e }}{{ f }}{{ g }}")
def take(
    a: float, b: int | str | None, c: str, d: Base, e: Any, f: Literal["a", "b", "c"] | None, g: list[int | str]
) -> str: return fill()


@chain
def wide(text: str) -> tuple[str | None, Base]:
    n, k, c = number(text), kind(text), child(text)
    return take(n, n, k, c, c, k, [n, either(text), "x"]), c
