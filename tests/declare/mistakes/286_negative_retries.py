# expect: code=bad-option line=here hint=retries
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", retries=-1)  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
