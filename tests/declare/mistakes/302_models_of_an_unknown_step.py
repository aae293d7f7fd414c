# expect: code=bad-option line=here hint=imporve | improve
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def polish(text: str) -> str:
    return improve(text)


@chain
def page(topic: str) -> str:
    return polish.with_(models={"imporve": "big"})(write(topic))  # <- here
