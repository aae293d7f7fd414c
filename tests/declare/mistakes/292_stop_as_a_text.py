# expect: code=bad-option line=here hint=stop
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.", stop="END")  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
