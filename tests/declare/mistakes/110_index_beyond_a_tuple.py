# expect: code=unknown-field line=here hint=2
from chainlab import chain, fill, prompt


@prompt("Give a title and a body about {{ topic }}.")
def write(topic: str) -> tuple[str, str]: return fill()


@prompt("Shorten: {{ text }}")
def shorten(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    pair = write(topic)
    return shorten(pair[2])  # <- here
