# expect: code=duplicate-name line=here hint=write | name
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Write a poem about {{ topic }}.", name="write")  # <- here
def poem(topic: str) -> str: return fill()


@chain
def page(topic: str) -> list[str]:
    return [
        write(topic),
        poem(topic),  # <- here
    ]
