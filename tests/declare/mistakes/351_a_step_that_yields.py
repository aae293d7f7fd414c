# expect: code=bad-option line=here hint=list
from chainlab import chain, step


@step  # <- here
def parts(text: str) -> str:
    yield text


@chain
def page(text: str) -> str:
    return parts(text)
