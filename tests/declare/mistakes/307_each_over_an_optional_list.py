# expect: code=bad-iterable line=here hint=given
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("List topics, if any: {{ text }}")
def extract(text: str) -> list[str] | None: return fill()


@chain
def brief(text: str) -> list[str]:
    return each(extract(text), write)  # <- here
