# expect: code=template-variable line=here hint=langauge | did you mean | language
from chainlab import chain, fill, prompt


@prompt(
    "Write about {{ topic }} in {{ language }}.",
    system="You write perfect {{ langauge }}.",  # <- here
)
def write(topic: str, language: str) -> str: return fill()


@chain
def page(topic: str) -> str:
    return write(topic, "French")
