# expect: code=chain-output line=here hint=page | return
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain  # <- here
def page(topic: str) -> str:  # <- here
    text = write(topic)
    improve(text)
