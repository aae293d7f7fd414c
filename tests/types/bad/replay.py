"""Wrong replays: what a type checker sees of them."""
from pydantic import BaseModel
from chainlab import Edit, Lab, chain, fill, prompt

class Review(BaseModel):
    score: int

@prompt("{{ text }}")
def review(text: str) -> Review: return fill()
@prompt("{{ text }}")
def say(text: str) -> str: return fill()
@chain
def judge(text: str) -> Review:
    return review(text)

lab = Lab.open("traces.db")
run = judge.run_sync("x")
lab.replay_sync(run, scope="steps")  # error: mypy pyright
lab.replay_sync(run, on_drift="ignore")  # error: mypy pyright
lab.replay_sync(run, on_effects="yes")  # error: mypy pyright
lab.replay_sync(run, edits=[Edit(step="review", templat="x")])  # error: mypy pyright
lab.replay_sync(run, edits=[Edit(template="x")])  # error: mypy pyright
lab.replay_sync(run, edits=Edit(step="review", seed=1))  # error: mypy pyright
lab.replay_sync(run, [])  # error: mypy pyright
lab.replay_sync(5)  # error: mypy pyright
words: str = lab.replay_sync(run).output  # error: mypy pyright
lab.replay_sync(run).output.scor  # error: mypy pyright
