# expect: code=template-tag line=here hint=block
from chainlab import chain, fill, prompt


@prompt("Summarise: {% block body %}{{ text }}{% endblock %}")  # <- here
def summarise(text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    return summarise(text)
