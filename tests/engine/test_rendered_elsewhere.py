"""Prompts that another process renders, as those of replays over HTTP are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainlab import Edit, Lab, Request, chain, each, fill, prompt
from chainlab.sandbox.sandbox import Sandbox

Open = Callable[[Callable[[Request], Any]], Lab]


@prompt("say {{ text }}")
def say(text: str) -> str:
    return fill()


@chain
def all_said(texts: list[str]) -> list[str]:
    return each(texts, lambda text: say(text))


async def test_a_prompt_rendered_elsewhere_takes_a_free_place_at_its_backend(open_lab: Open) -> None:
    lab = open_lab(lambda request: str(request.messages[-1]["content"]))
    run = await lab.run(all_said, ["a", "b", "c"])
    sandbox = Sandbox()
    ready = lab.plan_replay(run, edits=[Edit(step="say", template="whisper {{ text }}")])
    fork = await lab.carry_out(ready, renderer=sandbox)
    await sandbox.aclose()
    assert fork.output == ["whisper a", "whisper b", "whisper c"]
