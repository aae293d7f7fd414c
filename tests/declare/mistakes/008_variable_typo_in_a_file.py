# expect: code=template-variable line=here file=variable_typo.j2 hint=recipent | did you mean | recipient
from chainlab import chain, fill, prompt


@prompt(file="variable_typo.j2")
def write(recipient: str, facts: list[str]) -> str: return fill()


@chain
def letter(facts: list[str]) -> str:
    return write("Ada", facts)
