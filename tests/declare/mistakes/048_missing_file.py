# expect: code=template-file line=here hint=nowhere.j2
from chainlab import chain, fill, prompt


@prompt(file="nowhere.j2", model="big")  # <- here
def write(topic: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    return write(topic)
