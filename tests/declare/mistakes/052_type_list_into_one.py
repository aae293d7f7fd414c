# expect: code=wrong-type line=here hint=topic | each
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Topics(BaseModel):
    topics: list[str]


@prompt("List the topics:\n{{ text }}")
def extract(text: str) -> Topics: return fill()


@prompt("Summarise what {{ text }} says about {{ topic }}.")
def summarise(topic: str, text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    found = extract(text)
    return summarise(found.topics, text)  # <- here
