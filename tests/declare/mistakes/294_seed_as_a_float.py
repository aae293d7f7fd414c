# expect: code=bad-option line=here hint=seed
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", seed=0.5)  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
