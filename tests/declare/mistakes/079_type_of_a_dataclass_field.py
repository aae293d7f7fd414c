# expect: code=wrong-type line=here hint=subject
from dataclasses import dataclass

from chainlab import chain, fill, prompt, step


@dataclass
class Letter:
    subject: str
    body: str


@prompt("Write a letter about {{ topic }}.")
def write(topic: str) -> str: return fill()


@step
def count(text: str) -> int:
    return len(text)


@chain  # <- here
def letter(topic: str) -> Letter:  # <- here
    body = write(topic)
    return Letter(subject=count(body), body=body)  # <- here
