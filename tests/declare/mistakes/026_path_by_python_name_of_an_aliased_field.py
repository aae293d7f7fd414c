# expect: code=template-path line=here hint=full_name | fullName
from pydantic import BaseModel, ConfigDict, Field

from chainlab import chain, fill, prompt


class Person(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    full_name: str = Field(alias="fullName")
    age: int


@prompt("Greet {{ person.full_name }}, {{ person.age }} years old.")  # <- here
def greet(person: Person) -> str: return fill()


@chain
def hello(person: Person) -> str:
    return greet(person)
