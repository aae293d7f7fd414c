# expect: code=bad-option line=here hint=timeout
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", timeout=0)  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
