# expect: code=unknown-field line=here hint=lang | did you mean | language
from dataclasses import dataclass

from chainlab import chain, fill, prompt


@dataclass
class Query:
    words: list[str]
    language: str


@prompt("Give search words for {{ question }}")
def plan(question: str) -> Query: return fill()


@prompt("Answer in {{ language }}: {{ question }}")
def answer(question: str, language: str) -> str: return fill()


@chain
def ask(question: str) -> str:
    return answer(question, language=plan(question).langauge)  # <- here
