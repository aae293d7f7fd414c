# expect: code=wrong-type line=here hint=summaries
from pydantic import BaseModel

from chainlab import chain, each, fill, prompt


class Note(BaseModel):
    points: list[str]


@prompt("Note the points of:\n{{ text }}")
def note(text: str) -> Note: return fill()


@prompt("Write an article from:\n{% for s in summaries %}- {{ s }}\n{% endfor %}")
def draft(summaries: list[str]) -> str: return fill()


@chain
def corpus(texts: list[str]) -> str:
    notes = each(texts, note)
    return draft(notes)  # <- here
