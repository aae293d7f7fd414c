# expect: code=template-path line=here hint=titel | did you mean | title
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Section(BaseModel):
    title: str
    body: str


@prompt("Order these headings: {{ sections | map(attribute='titel') | join(', ') }}")  # <- here
def order(sections: list[Section]) -> list[str]: return fill()


@chain
def contents(sections: list[Section]) -> list[str]:
    return order(sections)
