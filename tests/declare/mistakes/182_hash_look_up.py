# expect: code=ref-hash line=here hint=route
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


STYLES = {"poem": "in verse", "essay": "in prose"}


@chain
def page(topic: str) -> str:
    kind = write(topic)
    return improve(STYLES[kind])  # <- here
