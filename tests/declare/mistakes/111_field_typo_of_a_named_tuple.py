# expect: code=unknown-field line=here hint=boddy | did you mean | body
from typing import NamedTuple

from chainlab import chain, fill, prompt


class Page(NamedTuple):
    title: str
    body: str


@prompt("Give a title and a body about {{ topic }}.")
def write(topic: str) -> Page: return fill()


@prompt("Shorten: {{ text }}")
def shorten(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    return shorten(write(topic).boddy)  # <- here
