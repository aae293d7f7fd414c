# expect: code=bad-parameter line=here hint=topics
from chainlab import chain, fill, prompt


@prompt("Write about {{ topics }}.")  # <- here
def write(*topics: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic, "cats")
