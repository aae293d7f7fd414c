# expect: code=bad-iterable line=here hint=list
from chainlab import chain, each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Name the people and their roles: {{ text }}")
def people(text: str) -> dict[str, str]: return fill()


@chain
def cast(text: str) -> list[str]:
    return each(people(text), write)  # <- here
