# expect: code=unknown-field line=here hint=title | each
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Section(BaseModel):
    title: str
    body: str


@prompt("Split: {{ text }}")
def split(text: str) -> list[Section]: return fill()


@prompt("Order these titles: {{ titles }}")
def order(titles: list[str]) -> list[str]: return fill()


@chain
def contents(text: str) -> list[str]:
    return order(split(text).title)  # <- here
