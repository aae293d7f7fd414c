# expect: code=duplicate-name line=here hint=polish | name=
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def polish(text: str) -> str:
    return improve(text)


@chain
def page(topic: str) -> list[str]:
    text = write(topic)
    first = polish(text)
    second = polish.with_(models={"improve": "big"})(text)  # <- here
    return [first, second]
