# expect: code=ref-bool line=here hint=when
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
def pages(topics: list[str]) -> list[str]:
    drafts = each(topics, write)
    return each(
        drafts,
        lambda d: d.text if d.score > 5 else improve(d.text),  # <- here
    )
