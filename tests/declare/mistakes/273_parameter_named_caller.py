# expect: code=bad-parameter line=here hint=caller
from chainlab import chain, fill, prompt


@prompt("Who is {{ caller }}?")  # <- here
def who(caller: str) -> str: return fill()  # <- here


@chain
def page(name: str) -> str:
    return who(name)
