# expect: code=template-path line=here hint=wings
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Cat(BaseModel):
    name: str
    lives: int


class Dog(BaseModel):
    name: str
    tricks: list[str]


@prompt("Describe {{ pet.name }} with {{ pet.wings }}.")  # <- here
def describe(pet: Cat | Dog) -> str: return fill()


@chain
def portrait(pet: Cat | Dog) -> str:
    return describe(pet)
