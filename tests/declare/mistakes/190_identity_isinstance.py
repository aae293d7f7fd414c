# expect: code=ref-identity line=here hint=isinstance
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


class Refused(BaseModel):
    reason: str


@prompt("Write, or refuse: {{ topic }}")
def attempt(topic: str) -> Draft | Refused: return fill()


@chain
def page(topic: str) -> str:
    result = attempt(topic)
    if isinstance(result, Refused):  # <- here
        return improve("nothing")
    return write(topic).text
