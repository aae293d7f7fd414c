# expect: code=missing-argument line=here hint=text
from chainlab import chain, fill, prompt


@prompt("Which topic has this? {{ text }}")
def extract(text: str) -> str: return fill()


@prompt("Summarise what {{ text }} says about {{ topic }}.")
def summarise(topic: str, text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    topic = extract(text)
    return summarise(topic)  # <- here
