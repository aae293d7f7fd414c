# expect: code=bad-option line=here hint=lambda
from chainlab import chain, fill, prompt, when


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Is this good? {{ text }}")
def good(text: str) -> bool: return fill()


@chain
def page(topic: str) -> str:
    text = write(topic)
    return when(good(text), then=text, otherwise=lambda: improve(text))  # <- here
