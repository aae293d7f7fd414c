# expect: code=wrong-type line=here hint=text
from pydantic import BaseModel

from chainlab import chain, fill, prompt, when


class Draft(BaseModel):
    text: str
    score: int


@prompt("Write about {{ topic }}.")
def write(topic: str) -> Draft: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Print: {{ text }}")
def publish(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    d = write(topic)
    better = when(d.score < 5, then=lambda: improve(d.text))
    return publish(better)  # <- here
