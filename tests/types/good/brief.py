"""The brief chain of the manual, run, streamed, in a lab and outside; every result keeps its type."""
from typing import assert_type

from pydantic import BaseModel
from chainlab import Lab, Run, ScriptedBackend, chain, each, fill, prompt, step

class Topics(BaseModel):
    topics: list[str]
class Review(BaseModel):
    score: int
    issues: list[str]
    revised: str

@prompt("List the topics of this text.\n\n{{ text }}", model="small")
def extract(text: str) -> Topics: return fill()
@prompt("Summarise what the text says about {{ topic }}.\n\n{{ text }}", model="small")
def summarise(topic: str, text: str) -> str: return fill()
@prompt("{% for s in summaries %}{{ s }}{% endfor %}", model="big")
def draft(summaries: list[str]) -> str: return fill()
@prompt("Critique and revise:\n\n{{ article }}", model="editor", retries=2, timeout=30)
def critique(article: str) -> Review: return fill()
@step
def word_count(article: str) -> int: return len(article.split())
@step(retries=1)
async def publish(article: str) -> bool: return bool(article)

@chain
def brief(text: str) -> Review:
    found = extract(text)
    notes = each(found.topics, lambda topic: summarise(topic, text))
    return critique(draft(notes))
@chain
def counted(text: str) -> tuple[int, bool]:
    review = brief(text)
    return word_count(review.revised), publish(review.revised)

def main() -> None:
    assert_type(brief.run_sync(text="x").output, Review)
    assert_type(counted.run_sync("x").output, tuple[int, bool])
    assert_type(extract.run_sync(text="x"), Run[Topics])
    assert_type(publish.run_sync("x").output, bool)
    assert_type(brief.run_sync("x").raise_for_status().output.score, int)
    with Lab.open("traces.db", default_model=ScriptedBackend(lambda request: "x")) as lab:
        assert_type(lab.run_sync(brief, text="x").output, Review)
        assert_type(lab.run_sync(word_count, "x").output, int)
async def later() -> list[str]:
    run = await brief.run("x")
    stream = brief.with_(models={"draft": "small"}, tags=["x"]).stream(text="x")
    async for event in stream:
        print(event)
    assert_type((await stream.run()).output, Review)
    return run.output.issues
