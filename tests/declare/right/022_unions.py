from typing import Annotated, Literal

from pydantic import BaseModel, Field

from chainlab import chain, fill, prompt, when


class Cat(BaseModel):
    kind: Literal["cat"]
    name: str
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str
    tricks: list[str]


@prompt("{{ text }}")
def meet(text: str) -> Annotated[Cat | Dog, Field(discriminator="kind")]: return fill()


@prompt("{{ pet.name }} {% if pet.kind == 'cat' %}{{ pet.lives }}{% else %}{{ pet.tricks }}{% endif %}")
def describe(pet: Cat | Dog) -> str: return fill()


@chain
def portrait(text: str) -> tuple[str, str]:
    pet = meet(text)
    return describe(pet), when(pet.kind == "cat", then=lambda: pet.name, otherwise=lambda: describe(pet))
