# expect: code=missing-annotation line=here hint=topic
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain  # <- here
def page(topic) -> str:  # <- here
    return improve(write(topic))
