# expect: code=unknown-field line=here hint=strip | @step
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Shorten: {{ text }}")
def shorten(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    return shorten(write(topic).strip())  # <- here
