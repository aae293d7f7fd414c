# expect: code=template-file line=here hint=house_style.j2
from chainlab import chain, fill, prompt, system, user


@prompt(  # <- here
    messages=[
        system(file="house_style.j2"),  # <- here
        user("{{ question }}"),
    ]
)
def answer(question: str) -> str: return fill()


@chain
def talk(question: str) -> str:
    return answer(question)
