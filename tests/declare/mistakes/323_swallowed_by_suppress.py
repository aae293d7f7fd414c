# expect: code=ref-len line=here hint=@step
from contextlib import suppress

from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    text = write(topic)
    with suppress(Exception):
        if len(text) < 10:  # <- here
            return text
    return improve(text)
