# expect: code=duplicate-name line=here hint=write | name
from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@step(name="write")  # <- here
def save(text: str) -> str:
    return text


@chain
def page(topic: str) -> str:
    text = write(topic)
    return save(text)  # <- here
