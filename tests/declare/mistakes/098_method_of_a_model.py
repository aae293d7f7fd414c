# expect: code=unknown-field line=here hint=total | @step
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Bill(BaseModel):
    prices: list[float]

    def total(self) -> float:
        return sum(self.prices)


@prompt("Read the prices: {{ text }}")
def read(text: str) -> Bill: return fill()


@prompt("Thank for {{ amount }} euros.")
def thank(amount: float) -> str: return fill()


@chain
def receipt(text: str) -> str:
    return thank(read(text).total())  # <- here
