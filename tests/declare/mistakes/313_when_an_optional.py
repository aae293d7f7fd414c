# expect: code=bad-condition line=here hint=given
from chainlab import chain, fill, prompt, when


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Find an image for {{ topic }}.")
def find(topic: str) -> str | None: return fill()


@chain
def page(topic: str) -> str:
    image = find(topic)
    return when(image, then=lambda: improve(topic), otherwise=lambda: write(topic))  # <- here
