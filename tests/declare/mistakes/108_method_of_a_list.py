# expect: code=unknown-field line=here hint=append | @step
from chainlab import chain, fill, prompt


@prompt("List words about {{ topic }}.")
def words(topic: str) -> list[str]: return fill()


@prompt("Define: {{ terms }}")
def define(terms: list[str]) -> str: return fill()


@chain
def glossary(topic: str) -> str:
    terms = words(topic)
    terms.append("etc.")  # <- here
    return define(terms)
