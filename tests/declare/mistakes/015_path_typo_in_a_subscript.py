# expect: code=template-path line=here hint=titel | did you mean | title
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Section(BaseModel):
    title: str
    body: str


@prompt("Shorten {{ section['titel'] }}:\n{{ section.body }}")  # <- here
def shorten(section: Section) -> str: return fill()


@chain
def short(section: Section) -> str:
    return shorten(section)
