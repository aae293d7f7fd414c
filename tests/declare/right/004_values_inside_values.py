"""Refs stand in lists, dicts, tuples, dataclasses, TypedDicts, NamedTuples and make()."""
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import BaseModel
from typing_extensions import TypedDict

from chainlab import chain, fill, make, prompt


@dataclass
class Letter:
    subject: str
    body: str
    tags: list[str] = field(default_factory=list)


class Pair(NamedTuple):
    title: str
    score: int


class Cited(TypedDict):
    answer: str
    sources: list[str]


class Report(BaseModel):
    letters: list[Letter]
    cited: Cited
    pair: Pair
    extra: dict[str, str] = {}
    note: str | None = None


@prompt("Title for {{ topic }}")
def title(topic: str) -> str: return fill()


@prompt("Score {{ text }}")
def score(text: str) -> int: return fill()


@prompt("Judge {{ letter.subject }} {{ letter.body }} {{ facts }} {{ pair }}")
def judge(letter: Letter, facts: dict[str, str], pair: tuple[str, int]) -> Cited: return fill()


@chain
def report(topic: str) -> Report:
    t = title(topic)
    letter = Letter(subject=t, body="constant", tags=[topic, "news"])
    cited = judge(letter, {"topic": topic, "river": "Seine"}, (t, score(t)))
    return make(
        Report,
        letters=[letter, Letter(subject="a", body=cited["answer"])],
        cited={"answer": cited["answer"], "sources": ["x", cited["sources"][0]]},
        pair=Pair(title=t, score=score(topic)),
        note=t,
    )
