# expect: code=no-schema line=here hint=how
from collections.abc import Callable

from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@step  # <- here
def apply(text: str, how: Callable[[str], str]) -> str:  # <- here
    return how(text)


@chain
def page(topic: str) -> str:
    return apply(write(topic), str.upper)
