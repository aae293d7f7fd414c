# expect: code=ref-identity line=here hint=given
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Find an image for {{ topic }}.")
def find(topic: str) -> str | None: return fill()


@chain
def pages(topics: list[str]) -> list[str]:
    return each(
        each(topics, find),
        lambda p: write("nothing") if p is None else improve(p),  # <- here
    )
