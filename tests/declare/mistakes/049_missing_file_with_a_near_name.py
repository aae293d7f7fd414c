# expect: code=template-file line=here hint=plan.j2 | plain.j2
from chainlab import chain, fill, prompt


@prompt(file="plan.j2")  # <- here
def write(topic: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    return write(topic)
