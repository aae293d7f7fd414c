# expect: code=ref-leak line=here hint=each
from pydantic import BaseModel

from chainlab import chain, each, fill, prompt, when


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
def page(topics: list[str]) -> str:
    drafts = []

    def one(topic: str) -> str:
        drafts.append(write(topic))
        return drafts[-1].text

    texts = each(topics, one)
    return when(drafts[0].score > 5, then=lambda: improve(texts[0]), otherwise=lambda: texts[0])  # <- here
