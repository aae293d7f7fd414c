# expect: code=route-not-exhaustive line=here hint=other
from typing import Literal

from chainlab import chain, fill, prompt, route


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Classify: {{ ticket }}")
def classify(ticket: str) -> Literal["bug", "billing", "other"]: return fill()


@chain
def support(ticket: str) -> str:
    kind = classify(ticket)
    return route(kind, {  # <- here
        "bug": lambda: write(ticket),
        "billing": lambda: improve(ticket),
    })
