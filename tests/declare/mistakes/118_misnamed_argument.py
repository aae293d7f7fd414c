# expect: code=extra-argument line=here hint=langage | did you mean | language
from chainlab import chain, fill, prompt


@prompt("Translate into {{ language }}: {{ text }}")
def translate(text: str, language: str = "English") -> str: return fill()


@chain
def french(text: str) -> str:
    return translate(text, langage="French")  # <- here
