# expect: code=unknown-field line=here hint=topcis | did you mean | topics
from pydantic import BaseModel

from chainlab import chain, each, fill, prompt


class Topics(BaseModel):
    topics: list[str]


@prompt("List the topics:\n{{ text }}")
def extract(text: str) -> Topics: return fill()


@prompt("Summarise what {{ text }} says about {{ topic }}.")
def summarise(topic: str, text: str) -> str: return fill()


@chain
def brief(text: str) -> list[str]:
    found = extract(text)
    return each(found.topcis, lambda topic: summarise(topic, text))  # <- here
