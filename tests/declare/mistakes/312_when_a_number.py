# expect: code=bad-condition line=here hint=compar
from chainlab import chain, fill, prompt, when


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Rate from 0 to 10: {{ text }}")
def rate(text: str) -> int: return fill()


@chain
def page(topic: str) -> str:
    text = write(topic)
    return when(rate(text), then=lambda: improve(text), otherwise=lambda: text)  # <- here
