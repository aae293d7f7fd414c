# expect: code=template-path line=here hint=subjet | did you mean | subject
from dataclasses import dataclass

from chainlab import chain, fill, prompt


@dataclass
class Letter:
    subject: str
    body: str


@prompt("""Answer this letter.
Subject: {{ letter.subjet }}{# <- here #}
{{ letter.body }}""")
def answer(letter: Letter) -> str: return fill()


@chain
def post(letter: Letter) -> str:
    return answer(letter)
