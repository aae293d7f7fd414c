# expect: code=wrong-type line=here hint=facts
from chainlab import chain, fill, prompt


@prompt("In which year was {{ city }} founded?")
def founded(city: str) -> int: return fill()


@prompt("Write about {{ city }}: {{ facts }}")
def write(city: str, facts: dict[str, str]) -> str: return fill()


@chain
def guide(city: str) -> str:
    return write(city, {"river": "Seine", "founded": founded(city)})  # <- here
