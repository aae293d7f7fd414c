# expect: code=ref-identity line=here hint=given
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


class Caption(BaseModel):
    text: str
    place: str | None = None


@prompt("Caption: {{ photo }}")
def caption(photo: str) -> Caption: return fill()


@chain
def card(photo: str) -> str:
    c = caption(photo)
    return c.text if c.place is None else improve(c.place)  # <- here
