# expect: code=unused-parameter line=here hint=history
from chainlab import chain, fill, prompt, system, user


@prompt(messages=[system("You are brief."), user("{{ question }}")])  # <- here
def answer(question: str, history: list[str]) -> str: return fill()  # <- here


@chain
def talk(question: str, history: list[str]) -> str:
    return answer(question, history)
