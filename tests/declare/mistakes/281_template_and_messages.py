# expect: code=bad-option line=here hint=messages
from chainlab import chain, fill, prompt, user


@prompt("Write about {{ topic }}.", messages=[user("{{ topic }}")])  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
