# expect: code=bad-option line=here hint=model
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", model=4)  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
