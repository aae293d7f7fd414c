# expect: code=unknown-field line=here hint=given
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Place(BaseModel):
    name: str
    country: str


class Caption(BaseModel):
    text: str
    place: Place | None = None


@prompt("Caption: {{ photo }}")
def caption(photo: str) -> Caption: return fill()


@prompt("{{ place }}: one fact.")
def fact(place: str) -> str: return fill()


@chain
def postcard(photo: str) -> str:
    c = caption(photo)
    return fact(c.place.name)  # <- here
