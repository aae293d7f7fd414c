# expect: code=ref-slice line=here hint=@step
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
def page(topic: str) -> list[str]:
    d = write(topic)
    return each(d.tags[:3], improve)  # <- here
