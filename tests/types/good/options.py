"""Options of prompts, steps and messages."""
from chainlab import Image, assistant, chain, fill, prompt, step, system, user

@prompt("Write about {{ topic }}.", system="Be brief.", name="writer", model=["big", "small"], temperature=0, max_tokens=100, stop=["END"], seed=7, top_p=0.9, retries=0, feedback="Again", logprobs=True, timeout=2.5, cache=True, tags=["draft"])
def write(topic: str) -> str: return fill()
@prompt(file="letter.j2", system="Be kind.")
def letter(text: str, tone: str) -> str: return fill()
@prompt(messages=[system(file="letter.j2"), user("hi"), assistant("hello"), user("{{ photo }}")])
def look(photo: Image, text: str, tone: str) -> str: return fill()
@step(name="save", effects="ask", retries=2, timeout=10, tags=("io",))
def publish(text: str) -> bool: return bool(text)
@step()
async def tidy(text: str) -> str: return text.strip()
@chain(name="page", tags=["page"])
def page(topic: str, photo: Image) -> bool:
    draft = write.with_(model="openai:gpt-x", temperature=0.7, stop=["."], name="draft")(topic)
    seen = look.with_(name="hot", seed=1, top_p=1.0, retries=3, timeout=1, cache=False)(photo, draft, tone="kind")
    return publish.with_(name="store", retries=0)(tidy(letter(seen, "formal")))
