# expect: code=unknown-field line=here hint=@step
import textwrap

from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    text = write(topic)
    return improve(textwrap.shorten(text, width=200))  # <- here
