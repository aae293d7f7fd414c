# expect: code=use-make line=here hint=make(Report
from pydantic import BaseModel

from chainlab import chain, each, fill, prompt


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
def reports(topics: list[str]) -> list[Report]:
    return each(
        topics,
        lambda topic: Report(title="Report", body=improve(topic)),  # <- here
    )
