# expect: code=bad-condition line=here hint=compar
from chainlab import chain, fill, prompt, when


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


MODE = "fast"


@chain
def page(topic: str) -> str:
    text = write(topic)
    return when(MODE == "slow", then=lambda: improve(text), otherwise=lambda: text)  # <- here
