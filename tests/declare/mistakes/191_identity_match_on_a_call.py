# expect: code=ref-identity line=here hint=route
from typing import Literal

from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Classify: {{ topic }}")
def kind(topic: str) -> Literal["poem", "essay"]: return fill()


@chain
def page(topic: str) -> str:
    match kind(topic):  # <- here
        case "poem":
            return write(topic)
        case _:
            return improve(topic)
