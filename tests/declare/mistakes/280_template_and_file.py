# expect: code=bad-option line=here hint=file
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", file="plain.j2")  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
