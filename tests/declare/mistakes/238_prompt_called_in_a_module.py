# expect: code=wrong-place line=here hint=write | run_sync
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    return improve(write(topic))


print(write("cats"))  # <- here
