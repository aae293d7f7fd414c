# expect: code=wrong-type line=here hint=style
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }} in the style of {{ style }}.")
def write(topic: str, style: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    return write(topic, style=None)  # <- here
