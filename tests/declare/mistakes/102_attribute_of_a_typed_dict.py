# expect: code=unknown-field line=here hint=anser | did you mean | answer
from typing_extensions import TypedDict

from chainlab import chain, fill, prompt


class Cited(TypedDict):
    answer: str
    sources: list[int]


@prompt("Answer with sources: {{ question }}")
def cite(question: str) -> Cited: return fill()


@chain
def ask(question: str) -> str:
    return cite(question).anser  # <- here
