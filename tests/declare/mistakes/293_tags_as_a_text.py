# expect: code=bad-option line=here hint=tags
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", tags="draft")  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
