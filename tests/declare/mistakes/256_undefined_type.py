# expect: code=missing-annotation line=here hint=Artcle
from __future__ import annotations

from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Article(BaseModel):
    title: str


@prompt("Write about {{ topic }}.")  # <- here
def write(topic: str) -> Artcle: return fill()  # <- here


@chain
def page(topic: str) -> Article:
    return write(topic)
