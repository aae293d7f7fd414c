# expect: code=ref-operator line=here hint=@step
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Rate {{ text }} from 0 to 1.")
def rate(text: str) -> float: return fill()


@chain
def rated(topic: str) -> int:
    return round(rate(write(topic)))  # <- here
