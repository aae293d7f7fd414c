# expect: code=ref-iter line=here hint=each
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def pages(topics: list[str]) -> list[str]:
    return [improve(t) for t in topics]  # <- here
