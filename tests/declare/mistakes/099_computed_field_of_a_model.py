# expect: code=unknown-field line=here hint=area | @step
from pydantic import BaseModel, computed_field

from chainlab import chain, fill, prompt


class Room(BaseModel):
    width: float
    length: float

    @computed_field  # type: ignore[prop-decorator]
    @property
    def area(self) -> float:
        return self.width * self.length


@prompt("Read the size: {{ text }}")
def measure(text: str) -> Room: return fill()


@prompt("Furnish {{ area }} square metres.")
def furnish(area: float) -> list[str]: return fill()


@chain
def plan(text: str) -> list[str]:
    return furnish(measure(text).area)  # <- here
