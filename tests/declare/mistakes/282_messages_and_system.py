# expect: code=bad-option line=here hint=system
from chainlab import chain, fill, prompt, user


@prompt(messages=[user("{{ topic }}")], system="Be brief.")  # <- here
def write(topic: str) -> str: return fill()  # <- here


@chain
def page(topic: str) -> str:
    return write(topic)
