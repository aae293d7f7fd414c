# expect: code=ref-bool line=here hint=@step
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
def pages(topic: str) -> list[str]:
    drafts = [write(topic), write("cats")]
    best = sorted(drafts, key=lambda d: d.score)  # <- here
    return [d.text for d in best]
