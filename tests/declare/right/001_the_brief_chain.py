from pydantic import BaseModel

from chainlab import chain, each, fill, prompt, step


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


@prompt(file="draft.j2", model="big")
def draft(summaries: list[str]) -> str: return fill()


@prompt("Critique and revise:\n\n{{ article }}", model="editor", retries=2, timeout=30)
def critique(article: str) -> Review: return fill()


@step
def word_count(article: str) -> int: return len(article.split())


@chain
def brief(text: str) -> Review:
    found = extract(text)
    notes = each(found.topics, lambda topic: summarise(topic, text))
    return critique(draft(notes))


@chain
def counted(text: str) -> tuple[Review, int]:
    review = brief(text)
    return review, word_count(review.revised)
