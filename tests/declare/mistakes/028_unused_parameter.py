# expect: code=unused-parameter line=here hint=tone
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")  # <- here
def write(topic: str, tone: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic, "formal")
