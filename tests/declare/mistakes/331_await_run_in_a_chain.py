# expect: code=bad-option line=here hint=def
from chainlab import chain, fill, prompt


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@chain  # <- here
async def page(topic: str) -> str:  # <- here
    run = await write.run(topic)
    return improve(run.output)
