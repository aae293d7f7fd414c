# expect: code=template-syntax line=here hint=template
from chainlab import chain, fill, prompt, system, user


@prompt(
    messages=[
        system("You are brief."),
        user("{{ question ?? 'nothing' }}"),  # <- here
    ]
)
def answer(question: str) -> str: return fill()


@chain
def talk(question: str) -> str:
    return answer(question)
