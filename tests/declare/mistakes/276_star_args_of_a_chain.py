# expect: code=bad-parameter line=here hint=topics
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain  # <- here
def pages(*topics: str) -> list[str]:  # <- here
    return [write(topic) for topic in topics]
