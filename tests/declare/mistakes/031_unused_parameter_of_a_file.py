# expect: code=unused-parameter line=here hint=sources
from chainlab import chain, fill, prompt


@prompt(file="plain.j2")  # <- here
def write(topic: str, sources: list[str]) -> str: return fill()  # <- here


@chain
def essay(topic: str, sources: list[str]) -> str:
    return write(topic, sources)
