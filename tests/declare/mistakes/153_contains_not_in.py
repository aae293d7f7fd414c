# expect: code=ref-contains line=here hint=@step
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
def page(topic: str) -> str:
    d = write(topic)
    return when("draft" not in d.tags, then=lambda: improve(d.text), otherwise=lambda: d.text)  # <- here
