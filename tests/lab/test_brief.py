"""The chain that the project was designed around, word for word, on the built-in model."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from chainlab import Lab, chain, each, fill, prompt, step

TEXT = (
    "Bergen lived by its harbour. Dried cod came from the north and grain from the south, and the merchants of the "
    "Hanseatic League kept their houses along the wharf. Fires burnt the town down again and again."
)


class Topics(BaseModel):
    topics: list[str]


class Review(BaseModel):
    score: int
    issues: list[str]
    revised: str


@prompt("List the topics of this text.\n\n{{ text }}", model="small")
def extract(text: str) -> Topics:
    return fill()


@prompt("Summarise what the text says about {{ topic }}.\n\n{{ text }}", model="small")
def summarise(topic: str, text: str) -> str:
    return fill()


@prompt(file="draft.j2", model="big")
def draft(summaries: list[str]) -> str:
    return fill()


@prompt("Critique and revise:\n\n{{ article }}", model="editor", retries=2, timeout=300)
def critique(article: str) -> Review:
    return fill()


@step
def word_count(article: str) -> int:
    return len(article.split())


@chain
def brief(text: str) -> Review:
    found = extract(text)
    notes = each(found.topics, lambda topic: summarise(topic, text))
    return critique(draft(notes))


@pytest.mark.model
@pytest.mark.timeout(900)
def test_the_brief_chain_runs_on_the_built_in_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "chainlab.toml").write_text(
        "[models]\n"
        + "".join(
            f'{name} = {{ backend = "embedded", model = "smollm2-135m-instruct", max_tokens = {most} }}\n'
            for name, most in (("small", 200), ("big", 120), ("editor", 400))
        )
    )
    monkeypatch.chdir(tmp_path)
    with Lab.open():
        run = brief.run_sync(text=TEXT)
        for _ in range(5):  # a small model that samples may talk past its limit: that is said, and nothing else fails
            if run.status == "ok":
                break
            assert run.failure is not None and run.failure.error.code == "truncated"
            run = brief.run_sync(text=TEXT)
        assert run.status == "ok"
        assert isinstance(run.output, Review)
        steps = run.steps
    assert sum(path.startswith("summarise[") for path in steps) == len(steps["extract"].output["topics"])
    assert {found.status for found in steps.values()} == {"ok"}
    assert steps["draft"].output
    assert word_count.fn("two words") == 2
