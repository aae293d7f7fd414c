"""Wrong types between steps."""
from typing import Literal

from pydantic import BaseModel
from chainlab import Image, Run, chain, each, fill, make, prompt, step

class Topics(BaseModel):
    topics: list[str]
    best: str | None
class Review(BaseModel):
    score: int
    revised: str

@prompt("{{ text }}")
def extract(text: str) -> Topics: return fill()
@prompt("{{ topic }} {{ text }}")
def summarise(topic: str, text: str) -> str: return fill()
@prompt("{{ summaries }}")
def draft(summaries: list[str]) -> str: return fill()
@prompt("{{ article }} {{ words }}")
def critique(article: str, words: int = 3) -> Review: return fill()
@prompt("{{ text }} {{ language }}")
def translate(text: str, language: Literal["fr", "de"]) -> str: return fill()
@prompt("{{ text }}")
def either(text: str) -> int | str: return fill()
@prompt("{{ photo }}")
def look(photo: Image) -> str: return fill()
@step
async def count(article: str) -> int: return len(article)

@chain
def wrong_types(text: str) -> list[str]:
    found = extract(text)
    return [
        summarise(found, text),  # error: mypy pyright
        summarise(found.topics, text),  # error: mypy pyright
        summarise(found.best, text),  # error: mypy pyright
        draft(text),  # error: mypy pyright
        draft([count(text)]),  # error: mypy pyright
        draft(each(found.topics, count)),  # error: mypy pyright
        draft(each(found.topics, lambda t: summarise(t, text), on_error="keep")),  # error: mypy pyright
        summarise(either(text), text),  # error: mypy pyright
        translate(text, critique(text).revised),  # error: mypy pyright
        look(text),  # error: mypy pyright
    ]

@chain
def wrong_constants(text: str) -> list[str]:
    return [
        critique(text, "3").revised,  # error: mypy pyright
        critique(text, words=2.5).revised,  # error: mypy pyright
        critique(3).revised,  # error: mypy pyright
        critique(None).revised,  # error: mypy pyright
        translate(text, "german"),  # error: mypy pyright
        draft(["a", 3]),  # error: mypy pyright
    ]

@chain
def wrong_arguments(text: str) -> list[str]:
    return [
        summarise(text),  # error: mypy pyright
        summarise(text, text, text),  # error: mypy pyright
        summarise(text, txt=text),  # error: mypy pyright
        summarise(topic=text),  # error: mypy pyright
        summarise(text, text, model="big"),  # error: mypy pyright
    ]

@chain
def wrong_fields(text: str) -> list[str]:
    found = extract(text)
    return [
        summarise(found.topcis, text),  # error: mypy pyright
        critique(text).revied,  # error: mypy pyright
        *each(found.topics, lambda t: t.titel),  # error: mypy pyright
    ]

@chain
def wrong_make(text: str) -> list[Review]:
    return [
        make(Review, score=text, revised=text),  # error: mypy pyright
        make(Review, revised=text),  # error: mypy pyright
        make(Review, score=3, revised=text, isues=[]),  # error: mypy pyright
    ]

@chain
def wrong_output(text: str) -> Review:
    return draft([text])  # error: mypy pyright

@chain
def no_output(text: str) -> Review:  # error: mypy pyright
    critique(text)

def main() -> None:
    run = wrong_output.run_sync(text="x")
    words: int = run.output.revised  # error: mypy pyright
    print(run.output.titel, words)  # error: mypy pyright
    number: str = count.run_sync("x").output  # error: mypy pyright
    other: Run[int] = run  # error: mypy pyright
    wrong_output.run_sync(3)  # error: mypy pyright
    wrong_output.run_sync()  # error: mypy pyright
    wrong_output.run_sync(txt="x")  # error: mypy pyright
    extract.run_sync(text=None)  # error: mypy pyright
    print(number, other)
async def later() -> int:
    run = await wrong_output.run("x")
    stream = wrong_output.stream("x")
    await wrong_output.run(text=2)  # error: mypy pyright
    last = (await stream.run()).output
    last.scroe  # error: mypy pyright
    return run.output  # error: mypy pyright
