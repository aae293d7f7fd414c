# expect: code=bad-iterable line=here hint=list
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("How many pages? {{ topic }}")
def count(topic: str) -> int: return fill()


@chain
def pages(topic: str) -> list[str]:
    return each(count(topic), lambda n: write(topic))  # <- here
