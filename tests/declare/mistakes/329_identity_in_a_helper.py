# expect: code=ref-identity line=here hint=given
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Find an image for {{ topic }}.")
def find(topic: str) -> str | None: return fill()


def shown(picture: str | None) -> str:
    return picture if picture is not None else "nothing"  # <- here


@chain
def page(topic: str) -> str:
    return improve(shown(find(topic)))
