# expect: code=template-syntax line=here file=syntax.j2 hint=endif
from chainlab import chain, fill, prompt


@prompt(file="syntax.j2")
def write(topic: str, formal: bool) -> str: return fill()


@chain
def page(topic: str) -> str:
    return write(topic, True)
