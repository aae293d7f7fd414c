# expect: code=route-not-exhaustive line=here hint=otherwise
from chainlab import chain, fill, prompt, route


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Rate from 1 to 3: {{ text }}")
def rate(text: str) -> int: return fill()


@chain
def rated(text: str) -> str:
    return route(rate(text), {1: lambda: improve(text), 2: lambda: write(text)})  # <- here
