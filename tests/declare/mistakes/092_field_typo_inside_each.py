# expect: code=unknown-field line=here hint=bdoy | did you mean | body
from pydantic import BaseModel

from chainlab import chain, each, fill, prompt


class Section(BaseModel):
    title: str
    body: str


@prompt("Split: {{ text }}")
def split(text: str) -> list[Section]: return fill()


@prompt("Summarise: {{ text }}")
def summarise(text: str) -> str: return fill()


@chain
def document(text: str) -> list[str]:
    return each(
        split(text),
        lambda section: summarise(section.bdoy),  # <- here
    )
