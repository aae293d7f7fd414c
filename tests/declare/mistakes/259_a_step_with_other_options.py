# expect: code=duplicate-name line=here hint=write | name=
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> list[str]:
    first = write(topic)
    second = write.with_(model="big")(topic)  # <- here
    return [first, second]
