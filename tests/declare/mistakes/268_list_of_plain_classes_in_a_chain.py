# expect: code=no-schema line=here hint=tools
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


class Tool:
    pass


@chain  # <- here
def page(topic: str, tools: list[Tool]) -> str:  # <- here
    return improve(write(topic))
