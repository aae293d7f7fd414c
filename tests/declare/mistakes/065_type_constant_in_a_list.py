# expect: code=wrong-type line=here hint=questions
from chainlab import chain, fill, prompt


@prompt("Ask a question about {{ topic }}.")
def ask(topic: str) -> str: return fill()


@prompt("Answer:\n{% for q in questions %}- {{ q }}\n{% endfor %}")
def answer(questions: list[str]) -> str: return fill()


@chain
def quiz(topic: str) -> str:
    return answer([ask(topic), 42])  # <- here
