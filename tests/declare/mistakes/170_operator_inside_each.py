# expect: code=ref-operator line=here hint=@step
from pydantic import BaseModel

from chainlab import chain, each, fill, prompt


class Draft(BaseModel):
    text: str
    score: int
    final: bool
    tags: list[str]


@prompt("Write about {{ topic }}.")
def write(topic: str) -> Draft: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def scores(topics: list[str]) -> list[int]:
    return each(
        each(topics, write),
        lambda d: d.score * 10,  # <- here
    )
