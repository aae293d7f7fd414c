# expect: code=template-path line=here hint=pionts | did you mean | points
from pydantic import BaseModel

from chainlab import chain, each, fill, prompt


class Note(BaseModel):
    points: list[str]


@prompt("Note the points of:\n{{ text }}")
def note(text: str) -> Note: return fill()


@prompt("{% for n in notes %}{{ n.pionts | join('; ') }}\n{% endfor %}")  # <- here
def digest(notes: list[Note]) -> str: return fill()


@chain
def corpus(texts: list[str]) -> str:
    return digest(each(texts, note))
