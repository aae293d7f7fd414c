"""Gemini's generateContent: a local server that follows its wire format, as the API reference (v1beta) gives it.

It refuses what the real one refuses: a wrong key, fields that it does not know, roles other than user and model. Its
answers have the reference's form.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import pytest
from pydantic import BaseModel

from chainlab import Grammar, Image, Pattern, assistant, fill, prompt, system, user
from chainlab.backends.chat import ServerSettings
from chainlab.backends.gemini import GeminiBackend
from tests.backends.wire import Asked, ask
from tests.faults.server import Answer, Call

MODEL = "gemini-2.5-flash"
TOO_LONG = "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")
USED = {"promptTokenCount": 20, "cachedContentTokenCount": 8, "candidatesTokenCount": 5, "thoughtsTokenCount": 2,
        "totalTokenCount": 27}  # fmt: skip
CONFIG = set(
    "temperature topP maxOutputTokens seed stopSequences candidateCount responseLogprobs logprobs responseMimeType"
    " responseJsonSchema".split()
)


def refused(call: Call) -> tuple[int, str, str] | None:
    """What the real server says of a request that is none."""
    if call.headers.get("x-goog-api-key") != "AIza-hidden":
        return 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."
    unknown = set(call.body) - {"contents", "systemInstruction", "generationConfig"}
    unknown |= set(call.body.get("generationConfig", {})) - CONFIG
    if unknown:
        return 400, "INVALID_ARGUMENT", f'Invalid JSON payload received. Unknown name "{unknown.pop()}"'
    if any(content["role"] not in ("user", "model") for content in call.body["contents"]):
        return 400, "INVALID_ARGUMENT", "Please use a valid role: user, model."
    return None


def error(status: int, name: str, message: str, *details: Any) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": name, "details": list(details)}}


def candidate(text: str, finish: str | None, index: int = 0, **more: Any) -> dict[str, Any]:
    found = {"content": {"parts": [{"text": text}], "role": "model"}, "index": index, **more}
    return found if finish is None else {**found, "finishReason": finish}


def content(*candidates: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"candidates": list(candidates), "usageMetadata": USED, "modelVersion": f"{MODEL}-001", "responseId": "r1",
            **more}  # fmt: skip


def answering(*texts: str, finish: str | None = "STOP") -> Answer:
    """A server whose model writes this; several texts are several candidates."""

    async def answer(call: Call) -> None:
        wrong = refused(call)
        if wrong is not None:
            await call.whole(error(*wrong), wrong[0])
        elif call.path.endswith(f"/models/{MODEL}:streamGenerateContent?alt=sse"):
            halves = [(text[: len(text) // 2], text[len(text) // 2 :]) for text in texts]
            first = content(*(candidate(half[0], None, index) for index, half in enumerate(halves)))
            last = content(*(candidate(half[1], finish, index) for index, half in enumerate(halves)))
            await call.events(json.dumps(first), json.dumps(last))
        else:
            await call.whole(error(404, "NOT_FOUND", "Requested entity was not found."), 404)

    return answer


class Topic(BaseModel):
    title: str
    weight: int


@prompt("List them: {{ text }}", system="Be brief.", temperature=0.5, top_p=0.9, seed=7, max_tokens=50, stop=["END"])
def draft(text: str) -> str:
    return fill()


@prompt("The topic of {{ text }}")
def topic(text: str) -> Topic:
    return fill()


@prompt("The words of {{ text }}")
def words(text: str) -> list[str]:
    return fill()


@prompt("Good or bad: {{ text }}")
def mood(text: str) -> Literal["good", "bad"]:
    return fill()


@prompt("A code for {{ text }}")
def code(text: str) -> Annotated[str, Pattern("[a-z]{2}-[0-9]")]:
    return fill()


Asking: TypeAlias = Callable[..., Asked]


def backend(url: str) -> GeminiBackend:
    return GeminiBackend(ServerSettings(url, "gemini", default_model=MODEL, api_key_env="GEMINI_TEST_KEY", retries=0))


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """Run a step, streamed, on a server that answers so."""

    def asked(what: Any, answer: Answer, key: str = "AIza-hidden", **given: Any) -> Asked:
        monkeypatch.setenv("GEMINI_TEST_KEY", key)
        return ask(what, backend, answer, tmp_path / "t.db", **given)

    return asked


def test_text_comes_in_pieces_with_its_counts(asked: Asking) -> None:
    found = asked(draft, answering("one, two"), text="x")
    (attempt,) = found.attempts
    assert (found.run.output, found.texts) == ("one, two", ["one,", " two"])
    assert (attempt.tokens_in, attempt.tokens_cached, attempt.tokens_out) == (20, 8, 7)
    assert (attempt.served_model, attempt.finish_reason) == (f"{MODEL}-001", "stop")
    assert found.body == {
        "contents": [{"role": "user", "parts": [{"text": "List them: x"}]}],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "generationConfig": {
            "temperature": 0.5, "topP": 0.9, "seed": 7, "maxOutputTokens": 50, "stopSequences": ["END"]
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("step", "said", "output"),
    [
        (topic, '{"title": "sea", "weight": 3}', Topic(title="sea", weight=3)),
        (words, '["a", "b"]', ["a", "b"]),
        (mood, '"good"', "good"),
        (code, '"ab-1"', "ab-1"),
    ],
    ids=["a model", "a list", "labels", "a pattern"],
)
def test_a_type_is_a_schema(step: Any, said: str, output: Any, asked: Asking) -> None:
    found = asked(step, answering(said), text="x")
    assert (found.run.status, found.run.output) == ("ok", output)
    sent = found.body["generationConfig"]
    assert sent["responseMimeType"] == "application/json"
    assert sent["responseJsonSchema"]


def test_a_grammar_is_refused_before_it_is_sent(asked: Asking) -> None:
    @prompt("A sum of {{ text }}")
    def term(text: str) -> Annotated[str, Grammar('root ::= "1"')]:
        return fill()

    found = asked(term, answering("1"), text="x")
    assert (found.code, found.calls) == ("bad-request", [])


def test_examples_and_pictures_have_their_own_form(asked: Asking) -> None:
    @prompt(messages=[system("Look."), user("a cat?"), assistant("yes"), user("{{ photo }} and this?")])
    def look(photo: Image) -> str:
        return fill()

    found = asked(look, answering("no"), photo=Image(data=PNG))
    assert found.run.output == "no"
    contents = found.body["contents"]
    assert [one["role"] for one in contents] == ["user", "model", "user"]
    picture, text = contents[2]["parts"]
    assert picture == {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}}
    assert text == {"text": " and this?"}


def test_several_replies_are_one_call(asked: Asking) -> None:
    @prompt("A name for {{ text }}", n=3)
    def names(text: str) -> list[str]:
        return fill()

    found = asked(names, answering("ab", "cd", "ef"), text="x")
    assert found.run.output == ["ab", "cd", "ef"]
    assert found.body["generationConfig"]["candidateCount"] == 3
    assert found.texts == ["a", "b"]  # the first of them is shown


def test_logprobs_have_the_common_form(asked: Asking) -> None:
    @prompt("{{ text }}", logprobs=True)
    def sure(text: str) -> str:
        return fill()

    token = {"token": "yes", "tokenId": 1, "logProbability": -0.1}
    logprobs = {"chosenCandidates": [token], "topCandidates": [{"candidates": [token]}]}

    async def answer(call: Call) -> None:
        await call.events(json.dumps(content(candidate("yes", "STOP", logprobsResult=logprobs))))

    found = asked(sure, answer, text="x")
    reply = found.attempts[0].reply
    assert reply is not None and reply.text is not None
    expected = {"token": "yes", "logprob": -0.1}
    assert json.loads(reply.text)["logprobs"] == [{**expected, "top_logprobs": [expected]}]
    assert found.body["generationConfig"]["responseLogprobs"] is True


@pytest.mark.parametrize(
    ("finish", "code"),
    [(None, "stream-interrupted"), ("SAFETY", "filtered"), ("RECITATION", "filtered"), ("MAX_TOKENS", "truncated")],
)
def test_how_it_may_end(finish: str | None, code: str, asked: Asking) -> None:
    found = asked(topic, answering('{"title": ', finish=finish), text="x")
    assert (found.code, len(found.attempts)) == (code, 1)


def test_a_prompt_may_be_blocked(asked: Asking) -> None:
    async def answer(call: Call) -> None:
        await call.events(json.dumps({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": USED}))

    assert asked(draft, answer, text="x").code == "filtered"


_RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "13s"}
_DAY = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "RequestsPerDayPerProject"}]}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((400, "INVALID_ARGUMENT", TOO_LONG), "context-overflow"),
        ((403, "PERMISSION_DENIED", "Permission denied"), "auth-failed"),
        ((404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta"), "model-not-found"),
        ((429, "RESOURCE_EXHAUSTED", "Resource has been exhausted", _RETRY), "rate-limited"),
        ((429, "RESOURCE_EXHAUSTED", "Resource has been exhausted", _DAY), "quota-exhausted"),
        ((500, "INTERNAL", "An internal error has occurred"), "unavailable"),
        ((503, "UNAVAILABLE", "The model is overloaded"), "unavailable"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("listed", [False, True], ids=["an object", "a list of one"])
def test_its_errors(answer: tuple[Any, ...], code: str, listed: bool, asked: Asking) -> None:
    async def says(call: Call) -> None:
        body = error(*answer)
        await call.whole([body] if listed else body, answer[0])

    found = asked(draft, says, text="x")
    assert (found.code, len(found.calls)) == (code, 1)
    assert found.run.failure is not None and answer[2] in found.run.failure.error.message


def test_an_overflow_says_how_much(asked: Asking) -> None:
    async def says(call: Call) -> None:
        await call.whole(error(400, "INVALID_ARGUMENT", TOO_LONG), 400)

    failure = asked(draft, says, text="x").run.failure
    assert failure is not None
    assert (failure.error.expected, failure.error.got) == ("1048576 tokens at most", "1200000 tokens")


def test_a_wrong_key_is_an_error_and_is_not_stored(asked: Asking, tmp_path: Path) -> None:
    found = asked(draft, answering("x"), key="AIza-wrong", text="x")
    assert found.code == "auth-failed"
    assert found.run.failure is not None and re.search("GEMINI_TEST_KEY", found.run.failure.error.remedy or "")
    assert b"AIza-wrong" not in (tmp_path / "t.db").read_bytes()
