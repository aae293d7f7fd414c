# expect: code=wrong-type line=here hint=place | given
from pydantic import BaseModel

from chainlab import Image, chain, fill, prompt


class Caption(BaseModel):
    text: str
    place: str | None = None


@prompt("Describe: {{ photo }}")
def caption(photo: Image) -> Caption: return fill()


@prompt("{{ place }}: one fact.")
def fact(place: str) -> str: return fill()


@chain
def postcard(photo: Image) -> str:
    c = caption(photo)
    return fact(c.place)  # <- here
