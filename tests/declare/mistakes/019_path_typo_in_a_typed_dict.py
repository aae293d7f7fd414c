# expect: code=template-path line=here hint=anwser | did you mean | answer
from typing_extensions import TypedDict

from chainlab import chain, fill, prompt


class Cited(TypedDict):
    answer: str
    sources: list[int]


@prompt("Check this answer: {{ cited.anwser }}")  # <- here
def check(cited: Cited) -> bool: return fill()


@chain
def verify(cited: Cited) -> bool:
    return check(cited)
