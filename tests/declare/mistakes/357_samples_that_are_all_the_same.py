# expect: code=bad-option line=here hint=raise temperature
from chainlab import fill, prompt


@prompt("Write about {{ text }}.", n=3, temperature=0)  # <- here
def write(text: str) -> list[str]: return fill()
