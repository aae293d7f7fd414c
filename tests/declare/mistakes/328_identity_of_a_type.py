# expect: code=ref-identity line=here hint=type
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Find a year or a name for {{ topic }}.")
def find(topic: str) -> int | str: return fill()


@chain
def page(topic: str) -> str:
    found = find(topic)
    if type(found) is int:  # <- here
        return improve(topic)
    return write(topic)
