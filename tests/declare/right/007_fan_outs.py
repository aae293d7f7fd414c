from pydantic import BaseModel

from chainlab import chain, each, fill, prompt, step


class Section(BaseModel):
    title: str
    body: str


@prompt("Split {{ text }}")
def split(text: str) -> list[Section]: return fill()


@prompt("{{ title }} {{ body }}")
def note(title: str, body: str) -> str: return fill()


@prompt("{{ text }}")
def shorten(text: str) -> str: return fill()


@prompt("{% for n in notes %}{{ n or 'missing' }}{% endfor %}")
def combine(notes: list[str | None]) -> str: return fill()


@step
async def publish(texts: list[str]) -> int:
    return len(texts)


@chain
def document(texts: list[str]) -> tuple[str, int, list[tuple[str, str]]]:
    def one(text: str) -> list[str]:
        return each(split(text), lambda s: note(s.title, s.body))

    nested = each(texts, one, on_error="drop")
    flat = each(nested, lambda notes: shorten(notes[0]), on_error="keep")
    fixed = each(["a", "b", texts[0]], shorten)
    pairs = each(texts, lambda t: (t, shorten(t)))
    return combine(flat), publish(fixed), pairs
