# expect: code=bad-option line=here hint=effects | ask
from chainlab import chain, fill, prompt, step


@prompt("Write about {{ topic }}.")
def write(topic: str) -> str: return fill()


@prompt("Improve: {{ text }}")
def improve(text: str) -> str: return fill()


@step(effects="maybe")  # <- here
def publish(text: str) -> bool:  # <- here
    return True


@chain
def page(topic: str) -> bool:
    return publish(write(topic))
