# expect: code=wrong-place line=here hint=write | run_sync
from chainlab import fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


def pages(topics: list[str]) -> list[str]:
    return [write(topic) for topic in topics]  # <- here


PAGES = pages(["cats", "dogs"])
