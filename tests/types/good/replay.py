"""A fork has its run's type; a run that is named by its id has none, unless the chain is given."""
from typing import Any, assert_type

from pydantic import BaseModel
from chainlab import Edit, Lab, Run, chain, fill, prompt

class Review(BaseModel):
    score: int

@prompt("{{ text }}")
def review(text: str) -> Review: return fill()
@chain
def judge(text: str) -> Review:
    return review(text)

lab = Lab.open("traces.db")
run = judge.run_sync("x")
fork = lab.replay_sync(run, edits=[Edit(step="review", template="{{ text }}!", temperature=0.5)])
assert_type(fork, Run[Review])
assert_type(fork.output.score, int)
assert_type(lab.replay_sync(fork).output, Review)
named = lab.replay_sync("last-failed", scope="changed", on_drift="rerun", on_effects="skip")
assert_type(named.output, Any)
assert_type(lab.replay_sync("last", chain=judge).output, Review)
ready = lab.plan_replay("last", edits=[Edit(step="$input", inputs={"text": "y"})])
assert_type(ready.plan.calls, int)

async def later() -> int:
    again = await lab.replay(run)
    assert_type(again, Run[Review])
    other = await lab.replay("last")
    assert_type(other.output, Any)
    return again.output.score
