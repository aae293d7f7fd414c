# expect: code=ref-hash line=here hint=@step
from functools import lru_cache

from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@lru_cache
def tidy(text: str) -> str:
    return text


@chain
def page(topic: str) -> str:
    text = write(topic)
    return improve(tidy(text))  # <- here
