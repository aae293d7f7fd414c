# expect: code=bad-parameter line=here hint=options
from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@step  # <- here
def search(text: str, **options: int) -> list[str]:  # <- here
    return [text]


@chain
def page(topic: str) -> list[str]:
    return search(write(topic), limit=3)
