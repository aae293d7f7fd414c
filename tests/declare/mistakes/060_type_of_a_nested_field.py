# expect: code=wrong-type line=here hint=zip
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Address(BaseModel):
    street: str
    zip: str


class Person(BaseModel):
    name: str
    address: Address


class Place(BaseModel):
    street: str
    zip: int


class Addressee(BaseModel):
    name: str
    address: Place


@prompt("Who wrote this? {{ text }}")
def author(text: str) -> Person: return fill()


@prompt("Write to {{ to.name }}, {{ to.address.zip }}.")
def write(to: Addressee) -> str: return fill()


@chain
def letter(text: str) -> str:
    person = author(text)
    return write(person)  # <- here
