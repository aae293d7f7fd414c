# expect: code=use-make line=here hint=make(Report
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


class Report(BaseModel):
    title: str
    body: str


@chain
def report(topic: str) -> Report:
    parts = {"title": "Report", "body": improve(topic)}
    return Report(**parts)  # <- here
