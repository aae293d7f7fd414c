# expect: code=bad-option line=here hint=name
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", name="drafts/write")  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
