# expect: code=unused-input line=here hint=tone
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain  # <- here
def page(topic: str, *, tone: str = "formal") -> str:  # <- here
    return improve(write(topic))
