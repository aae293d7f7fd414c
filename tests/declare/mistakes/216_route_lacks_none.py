# expect: code=route-not-exhaustive line=here hint=none
from typing import Literal

from chainlab import chain, fill, prompt, route


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Classify, if you can: {{ ticket }}")
def classify(ticket: str) -> Literal["bug", "billing"] | None: return fill()


@chain
def support(ticket: str) -> str:
    return route(classify(ticket), {  # <- here
        "bug": lambda: write(ticket),
        "billing": lambda: improve(ticket),
    })
