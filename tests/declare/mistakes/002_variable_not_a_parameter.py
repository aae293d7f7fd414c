# expect: code=template-variable line=here hint=language | parameter
from chainlab import chain, fill, prompt


@prompt("Translate into {{ language }}:\n\n{{ text }}")  # <- here
def translate(text: str) -> str: return fill()


@chain
def french(text: str) -> str:
    return translate(text)
