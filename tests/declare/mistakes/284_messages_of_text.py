# expect: code=bad-option line=here hint=user(
from chainlab import chain, fill, prompt


@prompt(messages=["Write about {{ topic }}."])  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
