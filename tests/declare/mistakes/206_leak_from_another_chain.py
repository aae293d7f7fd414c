# expect: code=ref-leak line=here hint=chain
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


KEPT = {}


@chain
def first(topic: str) -> str:
    KEPT["text"] = write(topic)
    return improve(KEPT["text"])


@chain
def second(topic: str) -> str:
    return improve(KEPT["text"])  # <- here
