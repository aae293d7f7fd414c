# expect: code=template-tag line=here hint=include
from chainlab import chain, fill, prompt


@prompt("""{% include "header.j2" %}{# <- here #}
Summarise: {{ text }}""")
def summarise(text: str) -> str: return fill()


@chain
def brief(text: str) -> str:
    return summarise(text)
