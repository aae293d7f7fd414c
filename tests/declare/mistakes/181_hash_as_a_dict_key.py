# expect: code=ref-hash line=here hint=key
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> dict[str, str]:
    text = write(topic)
    return {text: improve(text)}  # <- here
