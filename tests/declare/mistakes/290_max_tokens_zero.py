# expect: code=bad-option line=here hint=max_tokens
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", max_tokens=0)  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
