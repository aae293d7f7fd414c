# expect: code=ref-iter line=here hint=[0]
from pydantic import BaseModel

from chainlab import chain, fill, prompt


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
def page(topic: str) -> list[str]:
    d = write(topic)
    first, second = d.tags  # <- here
    return [improve(first), improve(second)]
