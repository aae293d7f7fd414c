# expect: code=each-body line=here hint=lambda
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def pages(topics: list[str], first: str) -> list[str]:
    return each(topics, improve(first))  # <- here
