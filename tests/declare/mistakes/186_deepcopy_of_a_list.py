# expect: code=ref-pickle line=here hint=copy
import copy

from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> list[str]:
    texts = [write(topic)]
    return [improve(t) for t in copy.deepcopy(texts)]  # <- here
