# expect: code=bad-option line=here hint=on_error | drop
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def pages(topics: list[str]) -> list[str]:
    return each(topics, write, on_error="ignore")  # <- here
