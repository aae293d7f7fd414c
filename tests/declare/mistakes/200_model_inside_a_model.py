# expect: code=use-make line=here hint=make(
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


class Page(BaseModel):
    body: str


class Book(BaseModel):
    first: Page


@chain
def book(topic: str) -> Book:
    text = improve(topic)
    return Book(
        first=Page(body=text),  # <- here
    )
