"""Chains on a real vLLM: base and adapters, typed replies of each kind, and everything that can go wrong with them."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import pytest
from pydantic import BaseModel

from chainlab import ConfigError, Grammar, Lab, Pattern, Run, chain, each, fill, prompt, step
from chainlab.backends.adapter import adapter_hash
from chainlab.events import TokenDelta
from chainlab.trace import AttemptRow
from tests.vllm.conftest import ADAPTERS, Server

pytestmark = pytest.mark.timeout(1800)

MAIL = "Order 4711: my invoice is wrong. No rush."
TICKET = re.compile(r"CAT=(billing|shipping|technical|account);PRI=(high|low);ID=\d{4}")
ROUTE = re.compile(r"to: (billing|shipping|technical|account) \((high|low)\) #\d{4}")


@prompt("{{ mail }}", system="Answer in one short sentence.", model="base", temperature=0, max_tokens=20)
def greet(mail: str) -> str:
    return fill()


@prompt("{{ mail }}", system="Classify the ticket.", model="ticket", temperature=0, max_tokens=30)
def ticket(mail: str) -> str:
    return fill()


@prompt("{{ mail }}", system="Classify the ticket.", model="base", temperature=0, max_tokens=30)
def untuned(mail: str) -> str:
    return fill()


@prompt("{{ mail }}", system="Route the ticket.", model="route", temperature=0, max_tokens=30)
def route_it(mail: str) -> str:
    return fill()


def attempts(lab: Lab, run: Run[Any], path: str) -> tuple[AttemptRow, ...]:
    step = lab.reader.step(run.id, path)
    assert step is not None
    return step.attempts


def raw(attempt: AttemptRow) -> Any:
    assert attempt.reply is not None and attempt.reply.text is not None
    return json.loads(attempt.reply.text)


# -- base and adapters -------------------------------------------------------------------------------------------------


def test_a_chain_of_a_base_step_and_an_adapter_step(lab: Lab) -> None:
    @chain
    def answer(mail: str) -> tuple[str, str, str]:
        return greet(mail), ticket(mail), untuned(mail)

    run = lab.run_sync(answer, mail=MAIL)
    run.raise_for_status()
    greeting, filed, without = run.output
    assert filed == "CAT=billing;PRI=low;ID=4711"
    assert TICKET.search(greeting) is None
    assert TICKET.search(without) is None  # the same prompt: only the adapter knows the format
    base, tuned = attempts(lab, run, "greet")[0], attempts(lab, run, "ticket")[0]
    assert (base.backend, base.model, base.adapter, base.adapter_hash) == ("vllm", "smollm2", None, None)
    assert (tuned.backend, tuned.base, tuned.adapter) == ("vllm", "smollm2", "ticket@v1")
    hashed = adapter_hash(ADAPTERS / "ticket")
    assert hashed is not None and tuned.adapter_hash == hashed.hex()
    assert (base.served_model, tuned.served_model) == ("smollm2", "ticket@v1")
    for attempt in (base, tuned):
        assert attempt.tokens_in and attempt.tokens_out and attempt.ttft_us
        assert attempt.gauges is not None and set(attempt.gauges) == {"running", "waiting", "kv_cache"}


def test_an_adapter_is_loaded_when_it_is_wanted_and_never_over_another(lab: Lab, vllm: Server) -> None:
    vllm.said("/unload_lora_adapter", lora_name="route@v1")
    assert "route@v1" not in vllm.served()

    @chain
    def sent(mail: str) -> str:
        return route_it(mail)

    run = lab.run_sync(sent, mail=MAIL)
    assert run.output == "to: billing (low) #4711"
    assert vllm.served()["route@v1"] == "smollm2"
    loads = vllm.log.read_text().count("/v1/load_lora_adapter")
    lab.run_sync(sent, mail=MAIL).raise_for_status()
    assert vllm.log.read_text().count("/v1/load_lora_adapter") == loads


def chainlab(*arguments: str) -> str:
    """What the command prints; it must end well."""
    command: list[str | Path] = [Path(sys.executable).with_name("chainlab"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_step_is_pointed_at_an_adapter_on_the_command_line(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "chains.py").write_text(
        "from chainlab import chain, fill, prompt\n\n\n"
        '@prompt("{{ mail }}", system="Classify the ticket.", temperature=0, max_tokens=30, model="base")\n'
        "def critique(mail: str) -> str:\n    return fill()\n\n\n"
        "@chain\ndef file(mail: str) -> str:\n    return critique(mail)\n"
    )
    said = chainlab("run", "chains.py", f"mail={MAIL}", "--model", "critique=vllm:smollm2+ticket@v1")
    assert "CAT=billing;PRI=low;ID=4711" in said


def test_models_shows_the_server_its_adapters_and_their_context(lab: Lab, vllm: Server) -> None:
    said = chainlab("models")
    assert "ticket@v1" in said and "2,048 tokens of context" in said and vllm.url in said


def test_what_is_not_served_is_an_error_before_the_first_call(lab: Lab, vllm: Server) -> None:
    before = vllm.log.read_text().count("/v1/chat/completions")
    for model, code in [("vllm:llama", "model-not-found"), ("vllm:smollm2+nobody", "adapter-not-found")]:
        with pytest.raises(ConfigError) as error:
            lab.run_sync(ticket.with_(model=model), mail=MAIL)
        assert error.value.code == code
        assert error.value.remedy and "smollm2" in error.value.remedy or "ticket@v1" in (error.value.remedy or "")
    assert vllm.log.read_text().count("/v1/chat/completions") == before


# -- in the middle of a run --------------------------------------------------------------------------------------------


def _unloading(vllm: Server, adapter: str) -> Any:
    @step
    def unload(text: str) -> str:
        vllm.said("/unload_lora_adapter", lora_name=adapter).raise_for_status()
        return MAIL

    return unload


def test_an_adapter_that_goes_in_the_middle_of_a_run_is_told_apart(lab: Lab, vllm: Server) -> None:
    unload = _unloading(vllm, "ticket@v1")

    @chain
    def twice(mail: str) -> str:
        return ticket(unload(ticket(mail)))

    try:
        run = lab.run_sync(twice, mail=MAIL)
        assert run.failure is not None
        assert (run.failure.path, run.failure.error.code) == ("ticket~2", "adapter-unloaded")
        assert len(attempts(lab, run, "ticket~2")) == 1
    finally:
        vllm.said("/load_lora_adapter", lora_name="ticket@v1", lora_path=str(ADAPTERS / "ticket")).raise_for_status()


def test_one_that_may_be_loaded_is_loaded_again(lab: Lab, vllm: Server) -> None:
    unload = _unloading(vllm, "route@v1")

    @chain
    def twice(mail: str) -> str:
        return route_it(unload(route_it(mail)))

    run = lab.run_sync(twice, mail=MAIL)
    assert (run.status, run.output) == ("ok", "to: billing (low) #4711")
    assert [one.error and one.error.code for one in attempts(lab, run, "route_it~2")] == ["adapter-unloaded", None]


# -- typed replies -----------------------------------------------------------------------------------------------------


class Person(BaseModel):
    name: str
    age: int


def test_every_kind_of_typed_reply_is_held_by_the_server(lab: Lab) -> None:
    @prompt("Anna is 31 years old. Who is it?", model="base", temperature=0, max_tokens=60, retries=0)
    def person() -> Person:
        return fill()

    @prompt("Is 'I love it' good or bad?", model="base", temperature=0, max_tokens=10, retries=0)
    def mood() -> Literal["good", "bad", "neither, nor"]:
        return fill()

    @prompt("Name any number.", model="base", temperature=0, max_tokens=10, retries=0)
    def number() -> Annotated[str, Pattern(r"[0-9]{3}-[a-f]{2}")]:
        return fill()

    @prompt("Add something.", model="base", temperature=0, max_tokens=20, retries=0)
    def term() -> Annotated[str, Grammar('root ::= digit " + " digit\ndigit ::= [0-9]')]:
        return fill()

    @chain
    def all_kinds() -> tuple[Person, str, str, str]:
        return person(), mood(), number(), term()

    run = lab.run_sync(all_kinds)
    run.raise_for_status()
    assert isinstance(run.output[0], Person)
    assert run.output[1] in ("good", "bad", "neither, nor")
    assert re.fullmatch(r"[0-9]{3}-[a-f]{2}", run.output[2])
    assert re.fullmatch(r"[0-9] \+ [0-9]", run.output[3])
    # Nothing but the server can have held them: each came at once, and the prompts say nothing of the form.
    assert [len(attempts(lab, run, path)) for path in run.steps] == [1, 1, 1, 1]


def test_streaming(lab: Lab) -> None:
    @chain
    def greeted(mail: str) -> str:
        return greet(mail)

    async def listen() -> tuple[list[str], str]:
        async with Lab.open(lab.store.path) as own:  # the connections belong to this event loop
            stream = own.stream(greeted, mail=MAIL)
            texts = [event.text async for event in stream if isinstance(event, TokenDelta)]
            return texts, (await stream.run()).output

    texts, output = asyncio.run(listen())
    assert len(texts) > 3
    assert "".join(texts) == output


def test_logprobs_are_stored(lab: Lab) -> None:
    @prompt("{{ mail }}", model="base", temperature=0, max_tokens=10, logprobs=True)
    def sure(mail: str) -> str:
        return fill()

    run = lab.run_sync(sure, mail=MAIL)
    (attempt,) = attempts(lab, run, "sure")
    tokens = raw(attempt)["logprobs"]
    assert len(tokens) == attempt.tokens_out
    assert all(token["logprob"] <= 0 and isinstance(token["token"], str) for token in tokens)


def test_a_prompt_is_counted_exactly_and_what_is_cached_is_recorded(lab: Lab) -> None:
    long = "The parcel is late and nobody answers. " * 20
    runs = [lab.run_sync(greet, mail=long) for _ in range(2)]
    first, second = (attempts(lab, run, "greet")[0] for run in runs)
    assert first.tokens_in == second.tokens_in
    assert second.tokens_cached is not None and second.tokens_cached > 100


# -- too much ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["vllm", "hasty"], ids=["counted before", "refused by the server"])
def test_a_prompt_that_does_not_fit(lab: Lab, vllm: Server, backend: str) -> None:
    before = vllm.log.read_text().count("/v1/chat/completions")
    run = lab.run_sync(greet.with_(model=f"{backend}:smollm2"), mail="too long " * 3000)
    assert run.failure is not None
    error = run.failure.error
    assert error.code == "context-overflow"
    assert "2048" in (error.expected or "") and re.search(r"\d{4}", error.got or "")
    sent = vllm.log.read_text().count("/v1/chat/completions") - before
    assert sent == (0 if backend == "vllm" else 1)


def test_overload(lab: Lab) -> None:
    @prompt("Tell a long story about {{ word }}.", model="hasty:smollm2", max_tokens=60)
    def story(word: str) -> str:
        return fill()

    @chain
    def stories(words: list[str]) -> list[str]:
        return each(words, story, on_error="drop")

    words = [f"word {number}" for number in range(16)]
    run = lab.run_sync(stories, words=words)
    failed = [
        row.error
        for index in range(len(words))
        for row in attempts(lab, run, f"story[{index}]")
        if row.error is not None
    ]
    assert failed and {error.code for error in failed} == {"unavailable"}
    assert all("503" in error.message for error in failed)
    # The same, with a backend that waits its turn
    patient = lab.run_sync(stories.with_(models={"story": "vllm:smollm2"}), words=words[:6])
    assert patient.status == "ok"


def test_the_server_is_what_the_documents_say(vllm: Server) -> None:
    """Facts that the adapter rests on; a newer vLLM that differs is seen here first."""
    unknown = vllm.said("/chat/completions", model="nobody", messages=[{"role": "user", "content": "x"}])
    assert (unknown.status_code, unknown.json()["error"]["type"]) == (404, "NotFoundError")
    assert vllm.served() == {"smollm2": None, **{name: "smollm2" for name in vllm.served() if name != "smollm2"}}
    old = vllm.said("/chat/completions", model="smollm2", max_tokens=5, guided_choice=["zzz"],
                    messages=[{"role": "user", "content": "hello"}])  # fmt: skip
    assert old.json()["choices"][0]["message"]["content"] != "zzz"
    assert isinstance(httpx.get(f"{vllm.url.removesuffix('/v1')}/metrics").text, str)
    assert json.loads((ADAPTERS / "ticket" / "adapter_config.json").read_text())["r"] == 4
