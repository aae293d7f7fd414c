# expect: code=no-schema line=here hint=unterminated
from typing import Annotated

from chainlab import Pattern, fill, prompt


@prompt("The code of {{ text }}.")  # <- here
def code(text: str) -> Annotated[str, Pattern("[A-Z")]: return fill()
