# expect: code=wrong-type line=here hint=topic
from pydantic import BaseModel

from chainlab import chain, each, fill, prompt


class Topic(BaseModel):
    name: str
    weight: float


@prompt("List the topics:\n{{ text }}")
def extract(text: str) -> list[Topic]: return fill()


@prompt("Summarise what {{ text }} says about {{ topic }}.")
def summarise(topic: str, text: str) -> str: return fill()


@chain
def brief(text: str) -> list[str]:
    return each(
        extract(text),
        lambda topic: summarise(topic, text),  # <- here
    )
