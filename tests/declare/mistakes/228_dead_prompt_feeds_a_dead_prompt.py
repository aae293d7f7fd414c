# expect: code=dead-prompt line=here hint=prompt
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    text = write(topic)
    better = improve(text)  # <- here
    write.with_(name="rewrite")(better)  # <- here
    return text
