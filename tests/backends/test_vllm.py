"""vLLM's own: adapters checked, loaded, missed; constraints, exact counts, gauges. tests/vllm has the real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import pytest
from pydantic import BaseModel

from chainlab import ConfigError, Grammar, Lab, Pattern, Run, chain, each, fill, prompt, step
from chainlab.backends import vllm as module
from chainlab.backends.adapter import adapter_hash
from chainlab.backends.chat import ServerSettings
from chainlab.backends.vllm import VllmBackend, read_gauges
from chainlab.protocols import ResolvedModel
from chainlab.trace import AttemptRow
from tests.backends.vllm_play import METRICS, Play

ADAPTER = Path(__file__).parents[1] / "data" / "lora" / "ticket"


def backend(play: Callable[[httpx.Request], httpx.Response], **options: Any) -> VllmBackend:
    settings = ServerSettings("http://models.test/v1", "vllm")
    return VllmBackend(settings, transport=httpx.MockTransport(play), **options)


def prepared(play: Play, adapter: str | None = None, model: str = "smollm2", **options: Any) -> VllmBackend:
    vllm = backend(play)
    asyncio.run(vllm.prepare(ResolvedModel(None, vllm, model, adapter, **options), lambda progress: None))
    return vllm


def refused(play: Play, *args: Any, **options: Any) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        prepared(play, *args, **options)
    return error.value


# -- before a run ------------------------------------------------------------------------------------------------------


def test_base_and_adapter_must_be_served() -> None:
    play = Play({"ticket@v1": "smollm2"})
    prepared(play)
    prepared(play, "ticket@v1")
    assert refused(play, model="llama").code == "model-not-found"
    missing = refused(play, "ticket@v2")
    assert missing.code == "adapter-not-found"
    assert "ticket@v1" in (missing.remedy or "") and "--lora-modules" in (missing.remedy or "")


def test_the_adapters_parent_must_be_the_base() -> None:
    error = refused(Play({"ticket": "llama"}), "ticket")
    assert (error.code, error.remedy) == ("adapter-mismatch", "write vllm:llama+ticket")


def test_autoload_loads_once_and_never_over_another() -> None:
    play = Play()
    prepared(play, "ticket@v1", adapter_path=ADAPTER, autoload=True)
    prepared(play, "ticket@v1", adapter_path=ADAPTER, autoload=True)
    assert play.paths("/v1/load_lora_adapter") == [{"lora_name": "ticket@v1", "lora_path": str(ADAPTER)}]


def test_one_who_was_faster_is_no_trouble() -> None:
    class Faster(Play):
        def _load(self, name: str, path: str) -> httpx.Response:
            super()._load(name, path)
            return super()._load(name, path)

    prepared(Faster(), "ticket@v1", adapter_path=ADAPTER, autoload=True)


def test_a_server_that_may_not_load_says_how_to_let_it() -> None:
    error = refused(Play(updating=False), "ticket@v1", adapter_path=ADAPTER, autoload=True)
    assert error.code == "adapter-not-loaded"
    assert "VLLM_ALLOW_RUNTIME_LORA_UPDATING=1" in (error.remedy or "")


def test_what_is_no_adapter_is_not_sent(tmp_path: Path) -> None:
    play = Play()
    for path in (tmp_path / "nothing", tmp_path):
        assert refused(play, "x", adapter_path=path, autoload=True).code == "no-adapter"
    assert play.paths("/v1/load_lora_adapter") == []


def test_a_server_that_is_down_is_named() -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    vllm = backend(down)
    with pytest.raises(ConfigError) as error:
        asyncio.run(vllm.prepare(ResolvedModel(None, vllm, "smollm2"), lambda progress: None))
    assert error.value.code == "unavailable"
    assert "http://models.test/v1" in (error.value.remedy or "")


def test_the_identity_holds_the_adapters_content(tmp_path: Path) -> None:
    vllm = backend(Play())
    plain = vllm.identity("smollm2", "ticket")
    hashed = adapter_hash(ADAPTER)
    assert hashed is not None
    vllm.learn("ticket", ADAPTER)
    assert vllm.identity("smollm2", "ticket") == f"{plain}@{hashed.hex()}"
    assert vllm.identity("smollm2", None) == "vllm|http://models.test/v1|smollm2"
    vllm.learn("ticket", tmp_path / "elsewhere")  # on another machine: its name has to do
    assert vllm.identity("smollm2", "ticket") == plain


# -- in a run ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def lab_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Lab]:
    """A lab whose backend `vllm` is played. `alias`: more of the alias `ticket`; `options`: of the backend."""

    def make(play: Play, alias: str = "", **options: Any) -> Lab:
        (tmp_path / "chainlab.toml").write_text(
            "[models]\n"
            f'ticket = {{ backend = "vllm", base = "smollm2", adapter = "ticket@v1", path = "{ADAPTER}"{alias} }}\n'
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("chainlab.backends.registry.build", lambda settings, root: backend(play, **options))
        return Lab.open(tmp_path / "t.db")

    return make


@prompt("{{ mail }}", model="ticket", max_tokens=30)
def ticket(mail: str) -> str:
    return fill()


@chain
def filed(mail: str) -> str:
    return ticket(mail)


@chain
def all_filed(mails: list[str]) -> list[str]:
    return each(mails, ticket)


def attempts(lab: Lab, run: Run[Any], path: str = "ticket") -> tuple[AttemptRow, ...]:
    step = lab.reader.step(run.id, path)
    assert step is not None
    return step.attempts


def test_what_answered_is_recorded(lab_on: Any) -> None:
    play = Play({"ticket@v1": "smollm2"})
    with lab_on(play, gauges=True) as lab:
        run = lab.run_sync(filed, mail="x")
        (attempt,) = attempts(lab, run)
    hashed = adapter_hash(ADAPTER)
    assert hashed is not None
    assert (attempt.base, attempt.adapter, attempt.adapter_hash) == ("smollm2", "ticket@v1", hashed.hex())
    assert (attempt.served_model, attempt.tokens_in, attempt.tokens_cached) == ("ticket@v1", 30, 16)
    assert attempt.gauges == {"running": 3.0, "waiting": 4.0, "kv_cache": 0.5}
    (body,) = play.paths("/v1/chat/completions")
    assert body["model"] == "ticket@v1"


def test_gauges_add_up_over_engines() -> None:
    assert read_gauges(METRICS) == {"running": 3.0, "waiting": 4.0, "kv_cache": 0.5}
    assert read_gauges("no metrics") == {}
    assert set(module.GAUGES.values()) == {"running", "waiting", "kv_cache"}


def test_an_adapter_that_goes_is_told_apart_from_one_that_never_was(lab_on: Any) -> None:
    play = Play({"ticket@v1": "smollm2"}, unload_after=1)
    with lab_on(play) as lab:
        run = lab.run_sync(all_filed, mails=["a", "b", "c"])
        assert run.failure is not None
        assert run.failure.error.code == "adapter-unloaded"
        assert "autoload = true" in (run.failure.error.remedy or "")


def test_with_autoload_it_is_loaded_again(lab_on: Any) -> None:
    play = Play({"ticket@v1": "smollm2"}, unload_after=1)
    with lab_on(play, ", autoload = true") as lab:
        run = lab.run_sync(all_filed, mails=["a", "b", "c"])
        assert run.status == "ok"
        codes = [
            attempt.error.code
            for index in range(3)
            for attempt in attempts(lab, run, f"ticket[{index}]")
            if attempt.error is not None
        ]
    assert set(codes) == {"adapter-unloaded"}
    assert len(play.paths("/v1/load_lora_adapter")) == 1  # once for all who missed it


def test_one_that_another_call_has_loaded_by_now_is_asked_again(lab_on: Any) -> None:
    class Flickers(Play):
        missed = False

        def _chat(self, body: Any) -> httpx.Response:
            if not self.missed:
                self.missed = True
                return httpx.Response(404, json={"error": {"message": "no such model", "param": "model", "code": 404}})
            return super()._chat(body)

    play = Flickers({"ticket@v1": "smollm2"})
    with lab_on(play) as lab:
        run = lab.run_sync(filed, mail="x")
        assert run.status == "ok"
        first, _ = attempts(lab, run)
        assert first.error is not None and first.error.code == "adapter-unloaded"
    assert play.paths("/v1/load_lora_adapter") == []


def test_a_model_that_is_replaced_while_it_runs_is_not_found(lab_on: Any) -> None:
    class Renamed(Play):
        def _chat(self, body: Any) -> httpx.Response:
            return httpx.Response(
                404, json={"error": {"message": "The model `smollm2` does not exist.", "param": "model", "code": 404}}
            )

    with lab_on(Renamed()) as lab:
        run = lab.run_sync(ticket.with_(model="vllm:smollm2"), mail="x")
        assert run.failure is not None and run.failure.error.code == "model-not-found"
        assert "smollm2" in (run.failure.error.remedy or "")


def test_a_prompt_that_does_not_fit_is_not_sent(lab_on: Any) -> None:
    play = Play({"ticket@v1": "smollm2"})
    with lab_on(play, count_tokens=True) as lab:
        assert lab.run_sync(filed, mail="short").status == "ok"
        run = lab.run_sync(filed, mail="long " * 500)
        assert run.failure is not None
        error = run.failure.error
        assert (error.code, error.expected) == ("context-overflow", "2048 tokens at most")
        assert error.got is not None and error.got.endswith("tokens of the prompt and 30 of the reply")
    assert len(play.paths("/v1/chat/completions")) == 1
    assert play.paths("/tokenize")[0]["model"] == "ticket@v1"


# -- typed replies -----------------------------------------------------------------------------------------------------


class Topic(BaseModel):
    title: str


def declared(result: Any) -> Any:
    def typed(mail: str) -> Any:
        return fill()

    typed.__annotations__["return"] = result
    return prompt("{{ mail }}", model="vllm:smollm2", retries=0)(typed)


@pytest.mark.parametrize(
    ("result", "says", "sent"),
    [
        (Topic, '{"title": "sea"}', ("json", {"type": "object"})),
        (list[int], "[1]", ("json", {"type": "array"})),
        (Literal["a", "b"], "a", ("choice", ["a", "b"])),
        (Annotated[str, Pattern("[a-z]{2}")], "ab", ("regex", "[a-z]{2}")),
        (Annotated[str, Grammar('root ::= "1"')], "1", ("grammar", 'root ::= "1"')),
    ],
    ids=["model", "list", "labels", "pattern", "grammar"],
)
def test_each_kind_of_constraint(result: Any, says: str, sent: tuple[str, Any], lab_on: Any) -> None:
    play = Play(says=says)
    with lab_on(play) as lab:
        run = lab.run_sync(declared(result), mail="x")
        assert run.status == "ok", run.failure
    (body,) = play.paths("/v1/chat/completions")
    kind, value = sent
    held = body["structured_outputs"]
    assert list(held) == [kind]
    if kind == "json":
        assert value.items() <= held["json"].items()
    else:
        assert held[kind] == value
    assert "response_format" not in body and "guided" not in json.dumps(body)


def test_what_is_held_is_checked_all_the_same(lab_on: Any) -> None:
    with lab_on(Play(says="nothing of the kind")) as lab:
        run = lab.run_sync(declared(Annotated[str, Pattern("[a-z]{2}")]), mail="x")
        assert run.failure is not None and run.failure.error.code == "output-invalid"


def test_a_step_between_that_unloads(lab_on: Any) -> None:
    play = Play({"ticket@v1": "smollm2"})

    @step
    def unload(text: str) -> str:
        play.adapters.clear()
        return text

    @chain
    def twice(mail: str) -> str:
        return ticket(unload(ticket(mail)))

    with lab_on(play) as lab:
        run = lab.run_sync(twice, mail="x")
        assert run.failure is not None
        assert (run.failure.path, run.failure.error.code) == ("ticket~2", "adapter-unloaded")
