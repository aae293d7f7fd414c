# expect: code=template-syntax line=here hint=template
from chainlab import chain, fill, prompt


@prompt("""Shorten this.

{{ text | }}{# <- here #}
""")
def shorten(text: str) -> str: return fill()


@chain
def short(text: str) -> str:
    return shorten(text)
