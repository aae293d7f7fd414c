# expect: code=bad-iterable line=here hint=@step
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def pages(topics: list[str]) -> list[list[str]]:
    return each(
        each(topics, write),
        lambda text: each(text, improve),  # <- here
    )
