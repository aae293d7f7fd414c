# expect: code=wrong-type line=here hint=language | de
from typing import Literal

from chainlab import chain, fill, prompt


@prompt("Translate into {{ language }}: {{ text }}")
def translate(text: str, language: Literal["fr", "de"]) -> str: return fill()


@chain
def german(text: str) -> str:
    return translate(text, "german")  # <- here
