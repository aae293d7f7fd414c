# expect: code=no-schema line=here hint=T
from typing import TypeVar

from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


T = TypeVar("T")


@step  # <- here
def first(items: list[T]) -> T:  # <- here
    return items[0]


@chain
def page(topic: str) -> str:
    return first([write(topic), improve(topic)])
