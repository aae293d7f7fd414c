# expect: code=bad-condition line=here hint=compar
from chainlab import chain, fill, not_, prompt, when


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    text = write(topic)
    return when(not_(text), then=lambda: improve(topic), otherwise=lambda: text)  # <- here
