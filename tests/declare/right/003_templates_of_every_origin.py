from chainlab import assistant, chain, fill, prompt, system, user

HOUSE_STYLE = """You write for children.
Be kind."""
CONCLUDE = "Conclude: {{ text }}"
QUESTION = f"{HOUSE_STYLE} What is {{{{ word }}}}?"


@prompt("Write about {{ topic }} " "in {{ language }}.", system=HOUSE_STYLE)
def write(topic: str, language: str = "English") -> str: return fill()


@prompt(CONCLUDE)
def conclude(text: str) -> str: return fill()


@prompt(QUESTION)
def define(word: str) -> str: return fill()


@prompt(messages=[system(HOUSE_STYLE), user("2 + 2"), assistant("4"), user("{{ sum }}"), user(file="essay.j2")])
def add(sum: str, topic: str) -> str: return fill()


@prompt(file="essay.j2", system="Write {{ words }} words.", name="essay-long")
def essay(topic: str, words: int) -> str: return fill()


@chain
def page(topic: str) -> list[str]:
    return [conclude(write(topic)), define(topic), add("1 + 1", topic), essay(topic, 300)]
