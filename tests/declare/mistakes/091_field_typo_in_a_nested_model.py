# expect: code=unknown-field line=here hint=adress | did you mean | address
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Customer(BaseModel):
    name: str
    address: str


class Order(BaseModel):
    number: int
    customer: Customer


@prompt("Read this order: {{ text }}")
def read(text: str) -> Order: return fill()


@prompt("Find the city of {{ address }}.")
def city(address: str) -> str: return fill()


@chain
def where(text: str) -> str:
    order = read(text)
    return city(order.customer.adress)  # <- here
