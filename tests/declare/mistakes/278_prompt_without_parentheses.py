# expect: code=bad-option line=here hint=template
from chainlab import chain, fill, prompt


@prompt  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
