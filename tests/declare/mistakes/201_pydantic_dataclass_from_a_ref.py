# expect: code=use-make line=here hint=make(
from pydantic.dataclasses import dataclass

from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@dataclass
class Letter:
    subject: str
    body: str


@chain
def letter(topic: str) -> Letter:
    return Letter(subject="News", body=write(topic))  # <- here
