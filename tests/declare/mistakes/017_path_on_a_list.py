# expect: code=template-path line=here hint=notes | for
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Note(BaseModel):
    points: list[str]


@prompt("Digest: {{ notes.points }}")  # <- here
def digest(notes: list[Note]) -> str: return fill()


@chain
def corpus(notes: list[Note]) -> str:
    return digest(notes)
