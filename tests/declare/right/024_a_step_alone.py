"""Prompts and steps need no chain."""
from chainlab import fill, prompt, step


@prompt("Shorten {{ text }}")
def shorten(text: str) -> str: return fill()


@step
def count(text: str, limit: int = 3) -> int: return min(len(text), limit)


assert count.fn("abcdef") == 3
assert shorten.name == "shorten"
