# expect: code=template-path line=here hint=nmae | did you mean | name
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Customer(BaseModel):
    name: str
    city: str


class Order(BaseModel):
    number: int
    customer: Customer


@prompt("Thank {{ order.customer.nmae }} for order {{ order.number }}.")  # <- here
def thank(order: Order) -> str: return fill()


@chain
def thanks(order: Order) -> str:
    return thank(order)
