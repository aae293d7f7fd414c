# expect: code=wrong-type line=here hint=language
from typing import Literal

from chainlab import chain, fill, prompt


@prompt("Which language is this? {{ text }}")
def detect(text: str) -> str: return fill()


@prompt("Proofread this {{ language }} text: {{ text }}")
def proofread(text: str, language: Literal["en", "fr", "de"]) -> str: return fill()


@chain
def proof(text: str) -> str:
    language = detect(text)
    return proofread(text, language=language)  # <- here
