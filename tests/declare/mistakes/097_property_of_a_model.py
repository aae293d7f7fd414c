# expect: code=unknown-field line=here hint=full_name | @step
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Person(BaseModel):
    first: str
    last: str

    @property
    def full_name(self) -> str:
        return f"{self.first} {self.last}"


@prompt("Who wrote this? {{ text }}")
def author(text: str) -> Person: return fill()


@prompt("Greet {{ name }}.")
def greet(name: str) -> str: return fill()


@chain
def hello(text: str) -> str:
    return greet(author(text).full_name)  # <- here
