# expect: code=wrong-place line=here hint=each | @chain
from chainlab import each, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


PAGES = each(["cats", "dogs"], write)  # <- here
