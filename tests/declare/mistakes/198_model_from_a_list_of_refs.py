# expect: code=use-make line=here hint=make(Book
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


class Book(BaseModel):
    chapters: list[str]


@chain
def book(topic: str) -> Book:
    return Book(chapters=[improve(topic), improve("the end")])  # <- here
