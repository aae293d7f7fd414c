# expect: code=bad-parameter line=here hint=self
from chainlab import chain, fill, prompt


@prompt("Describe {{ self }}.")  # <- here
def describe(self: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return describe(topic)
