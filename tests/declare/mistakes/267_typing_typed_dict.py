# expect: code=no-schema line=here python=<3.12 hint=typing_extensions
from typing import TypedDict

from chainlab import chain, fill, prompt


class Cited(TypedDict):
    answer: str
    sources: list[int]


@prompt("Answer with sources: {{ question }}")  # <- here
def cite(question: str) -> Cited: return fill()  # <- here


@chain
def ask(question: str) -> Cited:
    return cite(question)
