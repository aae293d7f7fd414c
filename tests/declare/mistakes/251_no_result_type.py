# expect: code=missing-annotation line=here hint=write | ->
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")  # <- here
def write(topic: str): return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
