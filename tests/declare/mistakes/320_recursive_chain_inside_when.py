# expect: code=recursive-chain line=here hint=refine
from chainlab import chain, fill, prompt, when


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Is this good? {{ text }}")
def good(text: str) -> bool: return fill()


@chain
def page(text: str) -> str:
    better = improve(text)
    return when(
        good(better),
        then=lambda: better,
        otherwise=lambda: page(better),  # <- here
    )
