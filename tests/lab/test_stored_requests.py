"""What a call leaves in the database: texts that many calls share stand there once, whole messages come back."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from chainlab import Chain, Lab, Run, ScriptedBackend, chain, each, fill, prompt
from chainlab.store.delete import delete_runs
from chainlab.trace import RequestSegment
from chainlab.values.codec import Value

RULES = "Write in the plain style of a person who has read much and wishes to be understood by everybody. " * 8
REPLY = "It is a harbour town in the north, known for its rain and for its seven hills above the water, and for fish."


class Note(BaseModel):
    text: str


@prompt(RULES + "In short: {{ topic[:20] | upper }}, {{ topic }}.")
def describe(topic: str) -> str:
    return fill()


@prompt(RULES + "About {{ topic }}.")
def note(topic: str) -> Note:
    return fill()


@chain
def towns(topics: list[str]) -> list[str]:
    return each(topics, lambda topic: describe(topic))


@chain
def notes(topic: str) -> Note:
    return note(topic)


def run(folder: Path, what: Chain[Any, Any], *args: Any, reply: Any = lambda request: REPLY) -> Run[Any]:
    with Lab.open(folder / "t.db", default_model=ScriptedBackend(reply)) as lab:
        return lab.run_sync(what, *args)


def rows(folder: Path, query: str, *values: Any) -> list[Any]:
    connection = sqlite3.connect(folder / "t.db")
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def is_stored(folder: Path, value: Any) -> int:
    return len(rows(folder, "SELECT 1 FROM payloads WHERE hash = ?", Value(value).hash))


def test_the_text_of_a_template_is_stored_once_and_each_request_stands_in_its_attempt(tmp_path: Path) -> None:
    run(tmp_path, towns, ["bergen", "oslo"])
    literal = RULES + "In short: "
    assert is_stored(tmp_path, literal) == 1
    requests = rows(tmp_path, "SELECT request_text FROM attempts WHERE request_text IS NOT NULL")
    assert len(requests) == 2
    assert all(Value(literal).hash.hex() in text and "plain style" not in text for (text,) in requests)
    holding = rows(tmp_path, "SELECT hash FROM payloads WHERE instr(body, 'plain style')")
    assert len(holding) == 2, "the text, and the chain with its template"


def test_a_request_is_read_as_it_was_sent_with_its_text_in_one_piece(tmp_path: Path) -> None:
    made = run(tmp_path, towns, ["bergen"])
    with Lab.open(tmp_path / "t.db") as lab:
        step = lab.reader.step(made.id, "describe[0]")
    assert step is not None
    assert step.attempts[0].messages[0].segments == (
        RequestSegment(RULES + "In short: BERGEN, "),
        RequestSegment("bergen", "topic"),
        RequestSegment("."),
    )


def test_a_reply_of_text_is_the_same_payload_as_the_output(tmp_path: Path) -> None:
    made = run(tmp_path, towns, ["bergen"])
    found = rows(
        tmp_path,
        "SELECT a.response_hash, a.response_text, s.output_hash FROM attempts a JOIN steps s USING (run_id, path)"
        " WHERE s.kind = 'prompt'",
    )
    assert found == [(Value(REPLY).hash, None, Value(REPLY).hash)]
    with Lab.open(tmp_path / "t.db") as lab:
        step = lab.reader.step(made.id, "describe[0]")
    assert step is not None
    assert (step.attempts[0].reply_text, step.output and step.output.text) == (REPLY, f'"{REPLY}"')


def test_a_short_reply_stands_in_its_attempt(tmp_path: Path) -> None:
    made = run(tmp_path, notes, "bergen", reply=lambda request: Note(text="rain"))
    assert rows(tmp_path, "SELECT response_text, response FROM attempts JOIN v_attempts USING (run_id, path, n)") == [
        ('"{\\"text\\":\\"rain\\"}"', '"{\\"text\\":\\"rain\\"}"')
    ]
    with Lab.open(tmp_path / "t.db") as lab:
        step = lab.reader.step(made.id, "note")
    assert step is not None and step.attempts[0].reply is not None
    assert (step.attempts[0].reply_text, step.attempts[0].reply.hash) == ('{"text":"rain"}', None)


def test_a_secret_in_a_template_is_taken_out_and_the_request_names_what_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "correct-horse-battery"
    monkeypatch.setenv("MY_KEY", secret)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chainlab.toml").write_text(
        '[backends.far]\nkind = "openai"\napi_key_env = "MY_KEY"\nbase_url = "http://h"\n'
    )

    @prompt(f"{RULES}The key is {secret}. " + "About {{ topic }}.")
    def leak(topic: str) -> str:
        return fill()

    @chain
    def leaking(topic: str) -> str:
        return leak(topic)

    made = run(tmp_path, leaking, "bergen")
    for (body,) in rows(tmp_path, "SELECT body FROM payloads"):
        assert secret.encode() not in body
    with Lab.open(tmp_path / "t.db") as lab:
        step = lab.reader.step(made.id, "leak")
    assert step is not None
    assert step.attempts[0].messages[0].segments[0].text == f"{RULES}The key is [redacted]. About "


def test_the_text_of_a_template_goes_with_the_last_run_that_names_it(tmp_path: Path) -> None:
    literal = RULES + "In short: "
    first, second = (run(tmp_path, towns, [topic]) for topic in ("bergen", "oslo"))
    delete_runs(tmp_path / "t.db", [first.id])
    assert is_stored(tmp_path, literal) == 1
    delete_runs(tmp_path / "t.db", [second.id])
    assert rows(tmp_path, "SELECT count(*) FROM payloads") == [(0,)]
