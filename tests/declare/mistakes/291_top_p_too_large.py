# expect: code=bad-option line=here hint=top_p
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", top_p=1.5)  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
