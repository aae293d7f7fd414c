# expect: code=ref-hash line=here hint=@step
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@prompt("Join: {{ parts }}")
def join(parts: list[str]) -> str: return fill()


@chain
def page(topic: str) -> str:
    return join({write(topic), "the end"})  # <- here
