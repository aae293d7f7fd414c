# expect: code=unknown-field line=here hint=model_dump_json
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Facts(BaseModel):
    facts: list[str]


@prompt("List facts about {{ topic }}.")
def research(topic: str) -> Facts: return fill()


@prompt("Write from these facts: {{ facts }}")
def write(facts: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    return write(research(topic).model_dump_json())  # <- here
