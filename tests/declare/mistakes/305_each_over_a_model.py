# expect: code=bad-iterable line=here hint=topics
from pydantic import BaseModel

from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


class Topics(BaseModel):
    topics: list[str]


@prompt("List the topics: {{ text }}")
def extract(text: str) -> Topics: return fill()


@chain
def brief(text: str) -> list[str]:
    return each(extract(text), lambda topic: write(topic))  # <- here
