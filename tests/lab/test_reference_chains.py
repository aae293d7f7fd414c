"""The six reference chains, run on a script: every shape that a chain can take, down to paths and outputs."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chainlab import Image, Lab, Request, ScriptedBackend

CHAINS = Path(__file__).parent.parent / "declare" / "chains"

PICTURE = (CHAINS.parent / "right" / "logo.png").read_bytes()

REPLIES: dict[str, Any] = {
    "triage": {"kind": "bug", "urgency": 2},
    "answer_bug": {"text": "steps?"},
    "plan": {"words": ["a"], "language": "en"},
    "answer": {"answer": "x", "sources": [1]},
    "propose": {"diff": "d", "why": "w"},
    "critique@1": {"score": 3, "issues": ["i"]},
    "critique@2": {"score": 9, "issues": []},
    "rewrite": {"diff": "d2", "why": "w"},
    "note": {"points": ["p"]},
    "digest": "dig",
    "combine": "all",
    "caption[0]": {"text": "t", "language": "en"},
    "caption[1]": {"text": "u", "language": "fr", "place": "Paris"},
    "translate": "tr",
    "fact": "f",
    "tone": "casual",
    "casual": {"subject": "s", "body": " b "},
}


def reply(request: Request) -> Any:
    """By the step's path without its chain, else by its name."""
    path = request.step.rsplit("/", 1)[-1]
    return REPLIES.get(path) or REPLIES[path.split("[")[0].split("@")[0]]


def chains(name: str) -> ModuleType:
    """A reference file, imported."""
    spec = importlib.util.spec_from_file_location(f"reference_{name}", CHAINS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(reply)) as lab:
        yield lab


def ok_paths(run: Any) -> list[str]:
    """Paths of the steps that ran."""
    return [path for path, step in run.steps.items() if step.status == "ok"]


def test_c1_routes_a_ticket_to_one_answer(lab: Lab) -> None:
    module = chains("c1_triage")
    run = module.support.run_sync(ticket="it broke")
    assert run.output == module.Reply(text="steps?")
    assert ok_paths(run) == ["triage", "route", "answer_bug"]


def test_c2_mixes_prompts_and_python_and_makes_a_model(lab: Lab) -> None:
    module = chains("c2_rag")
    assert module.ask.run_sync("why?").output == module.Answer(text="x", sources=["a"], question="why?")
    assert module.main() == 1.0


def test_c3_reviews_until_accepted(lab: Lab) -> None:
    module = chains("c3_review")
    run = module.review.run_sync(code="c")
    assert run.output == module.Result(patch=module.Patch(diff="d2", why="w"), score=9, accepted=True)
    assert ok_paths(run) == ["propose", "refine", "critique@1", "rewrite@2", "critique@2"]
    assert module.review_plain.run_sync(code="c").output.diff == "d2"


def test_c4_fans_out_in_a_fan_out(lab: Lab) -> None:
    run = chains("c4_mapreduce").corpus.run_sync(documents=["a", "b"])
    assert run.output == "all"
    assert {"split[1]", "note[1][0]", "digest[1]"} <= set(ok_paths(run))


def test_c5_passes_images_on_and_branches_per_item(lab: Lab) -> None:
    backend = lab.models.resolve(None).backend
    run = chains("c5_caption").album.run_sync(photos=[Image(data=PICTURE), Image(url="http://x/y.png")])
    assert run.output == [("tr", None), ("u", "f")]
    assert isinstance(backend, ScriptedBackend)
    sent = [request.messages[0]["content"] for request in backend.requests if request.step.startswith("caption")]
    picture = {"type": "image", "media_type": "image/png", "data": b64encode(PICTURE).decode()}
    assert sent[0] == [{"type": "text", "text": "Describe: "}, picture]


def test_c6_nests_chains_and_streams_events(lab: Lab) -> None:
    module = chains("c6_nested")
    assert module.batch.run_sync(texts=[" x "]).output[1] == module.Letter(subject="s", body="b")
    assert len(module.all_of.run_sync(texts=["a", "b"]).output) == 2
    assert asyncio.run(module.main()) == "s"


def test_every_reference_chain_draws_itself_and_survives_json() -> None:
    from chainlab import load_chain
    from chainlab.declare.chain import Chain

    for file in sorted(CHAINS.glob("c*.py")):
        for value in vars(chains(file.stem)).values():
            if isinstance(value, Chain):
                assert value.mermaid().startswith("flowchart TD\n")
                assert load_chain(value.spec.model_dump_json()).spec == value.spec


def test_a_reference_to_vllm_fails_only_when_a_real_backend_is_asked(tmp_path: Path) -> None:
    module = chains("c6_nested")  # declares `vllm:llama+letters-lora`
    with Lab.open(tmp_path / "t.db", default_model="embedded") as lab:
        resolved = lab.models.resolve("vllm:llama+letters-lora")
        assert (resolved.model, resolved.adapter, resolved.backend.name) == ("llama", "letters-lora", "vllm")
    assert module.letter.spec.name == "letter"
