# expect: code=missing-argument line=here hint=summarise | text
from chainlab import chain, each, fill, prompt


@prompt("List the topics:\n{{ text }}")
def extract(text: str) -> list[str]: return fill()


@prompt("Summarise what {{ text }} says about {{ topic }}.")
def summarise(topic: str, text: str) -> str: return fill()


@chain
def brief(text: str) -> list[str]:
    return each(extract(text), summarise)  # <- here
