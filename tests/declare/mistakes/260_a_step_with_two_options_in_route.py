# expect: code=duplicate-name line=here hint=write | name=
from chainlab import chain, fill, prompt, route


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Is this hard? {{ topic }}")
def hard(topic: str) -> bool: return fill()


@chain
def page(topic: str) -> str:
    return route(hard(topic), {
        True: lambda: write.with_(model="big")(topic),  # <- here
        False: lambda: write.with_(model="small")(topic),  # <- here
    })
