# expect: code=chain-output line=here hint=page | return
from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@step
def publish(text: str) -> bool:
    return True


@chain  # <- here
def page(topic: str) -> str:  # <- here
    publish(write(topic))
    return  # <- here
