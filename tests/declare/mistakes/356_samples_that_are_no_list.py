# expect: code=bad-result line=here hint=list[str]
from chainlab import fill, prompt


@prompt("Write about {{ text }}.", n=3)  # <- here
def write(text: str) -> str: return fill()
