# expect: code=use-make line=here hint=make
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


PLAIN = Draft(text="", score=0, final=False, tags=[])


@chain  # <- here
def page(topic: str) -> Draft:
    text = improve(topic)
    return PLAIN.model_copy(update={"text": text})  # <- here
