# expect: code=unknown-field line=here hint=titel | did you mean | title
from typing import Any

from pydantic import BaseModel

from chainlab import chain, each, fill, prompt


class Section(BaseModel):
    title: str
    body: str


@prompt("Split: {{ text }}")
def split(text: str) -> list[Section]: return fill()


@prompt("Summarise {{ title }}: {{ body }}")
def summarise(title: str, body: str) -> str: return fill()


def one(section: Any) -> str:
    return summarise(section.titel, section.body)  # <- here


@chain
def document(text: str) -> list[str]:
    return each(split(text), one)
