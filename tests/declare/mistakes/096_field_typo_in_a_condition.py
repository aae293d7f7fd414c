# expect: code=unknown-field line=here hint=langage | did you mean | language
from pydantic import BaseModel

from chainlab import chain, fill, prompt, when


class Caption(BaseModel):
    text: str
    language: str


@prompt("Caption: {{ photo }}")
def caption(photo: str) -> Caption: return fill()


@prompt("Translate into French: {{ text }}")
def translate(text: str) -> str: return fill()


@chain
def french(photo: str) -> str:
    c = caption(photo)
    return when(c.langage == "fr", then=lambda: c.text, otherwise=lambda: translate(c.text))  # <- here
