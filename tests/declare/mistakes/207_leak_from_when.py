# expect: code=ref-leak line=here hint=when
from pydantic import BaseModel

from chainlab import chain, fill, prompt, when


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
def page(topic: str) -> tuple[str, str]:
    d = write(topic)
    kept = []

    def better() -> str:
        kept.append(improve(d.text))
        return kept[0]

    text = when(d.final, then=lambda: d.text, otherwise=better)
    return text, improve(kept[0])  # <- here
