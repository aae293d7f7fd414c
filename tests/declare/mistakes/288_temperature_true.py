# expect: code=bad-option line=here hint=temperature
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", temperature=True)  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
