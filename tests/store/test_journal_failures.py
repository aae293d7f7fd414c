"""The journal on a real SQLite file. Fences, failures and secrets."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from chainlab.errors import StoreError, TraceWriteError
from chainlab.events import Binding
from chainlab.store.store import Store
from chainlab.values.codec import Value, decode, encode
from chainlab.values.ids import now_us
from chainlab.values.redact import MARK, Redactor
from tests.store import facts
from tests.store.tables import row, rows, tell

pytestmark = pytest.mark.usefixtures("committed_by")


def test_a_run_that_another_process_took_over_is_fenced_and_the_others_go_on(store: Store) -> None:
    journal = store.journal()
    tell(journal, facts.run_started("mine"), facts.run_started("taken"), facts.step_started("taken"))
    connection = sqlite3.connect(store.path)
    with connection:
        connection.execute("UPDATE runs SET process_id = 'other' WHERE id = 'taken'")
    connection.close()

    async def main() -> Sequence[BaseException | None]:
        async def one(run: str) -> None:
            journal.emit(facts.step_started(run, "late"))
            journal.emit(facts.step_finished(run, "late"))
            await journal.durable()

        return await asyncio.gather(one("mine"), one("taken"), return_exceptions=True)

    mine, taken = asyncio.run(main())
    assert mine is None
    assert isinstance(taken, StoreError) and taken.code == "store-fenced"
    assert [r["run_id"] for r in rows(store, "SELECT run_id FROM steps WHERE path = 'late'")] == ["mine"]
    with pytest.raises(StoreError):
        journal.emit(facts.run_finished("taken"))
    tell(journal, facts.run_finished("mine"))


def test_a_run_that_was_deleted_is_fenced(store: Store) -> None:
    journal = store.journal()
    tell(journal, facts.run_started("r1"))
    connection = sqlite3.connect(store.path)
    with connection:
        connection.execute("DELETE FROM runs")
    connection.close()
    with pytest.raises(StoreError) as caught:
        tell(journal, facts.step_started("r1"))
    assert caught.value.code == "store-fenced"
    assert rows(store, "SELECT * FROM steps") == []


FULL_DISK = """
import asyncio, os, resource, signal, sys
from chainlab.errors import TraceWriteError
from chainlab.store.store import Store
from tests.store import facts

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store.open(sys.argv[1])
journal = store.journal()
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000_000, 10_000_000))

async def main():
    for i in range(10_000):
        try:
            journal.emit(facts.run_started(f"r{i}", {"text": facts.LONG * 30 + str(i)}))
            await journal.durable()
        except TraceWriteError as problem:
            print(i, problem.code)
            break
    for later in (lambda: journal.emit(facts.run_started("late")), journal.durable):
        try:
            later()
        except TraceWriteError:
            print("refused")

asyncio.run(main())
store.close()
"""


def test_a_full_disk_is_a_trace_write_error_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    Store.open(path).close()
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    first, *refused = done.stdout.splitlines()
    acknowledged, code = first.split()
    assert int(acknowledged) > 20
    assert code in ("store-full", "store-io")
    assert refused == ["refused", "refused"]
    with Store.open(path) as store:
        assert row(store, "PRAGMA integrity_check") == {"integrity_check": "ok"}
        kept = {r["id"] for r in rows(store, "SELECT id FROM runs")}
        assert kept >= {f"r{i}" for i in range(int(acknowledged))}


def test_a_store_whose_journal_failed_gives_a_new_one(store: Store) -> None:
    journal = store.journal()
    tell(journal, facts.run_started("r1"))
    connection = journal._writer._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(TraceWriteError) as caught:
        tell(journal, facts.run_started("r2", {"text": "z" * 1_000_000}))
    assert caught.value.code == "store-full"
    tell(store.journal(), facts.run_started("r3"))
    assert {r["id"] for r in rows(store, "SELECT id FROM runs")} == {"r1", "r3"}


READ_ONLY = """
import os, sys
from chainlab.errors import StoreError
from chainlab.store import journal
from chainlab.store.process import version
from chainlab.store.store import Store

version()  # everything is loaded now: the user below may not read this Python's library
os.setgid(65534)
os.setuid(65534)
store = Store.open(sys.argv[1])
print(store.reader.runs()[0].id)
try:
    store.journal()
except StoreError as problem:
    print(problem.code)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become a user who may not write")
def test_a_file_that_cannot_be_written_is_read_but_gives_no_journal() -> None:
    with tempfile.TemporaryDirectory(prefix="chainlab-ro-") as folder:
        os.chmod(folder, 0o755)
        path = Path(folder) / "t.db"
        with Store.open(path) as store:
            tell(store.journal(), facts.run_started("r1"))
            for file in Path(folder).iterdir():
                file.chmod(0o444)
            done = subprocess.run([sys.executable, "-c", READ_ONLY, str(path)], capture_output=True, text=True)
    assert done.stderr == ""
    assert done.stdout.split() == ["r1", "store-read-only"]


SECRET = 'tok"en-0123456789'


def test_a_known_secret_is_nowhere_in_the_file(tmp_path: Path) -> None:
    text = f"{facts.LONG} {SECRET}"
    with Store.open(tmp_path / "t.db", redactor=Redactor([SECRET])) as store:
        tell(
            store.journal(),
            facts.run_started("r1", {"text": text, "short": SECRET}),
            facts.step_started("r1", value=text),
            facts.attempt_started("r1", request=facts.request(text)),
            facts.attempt_finished("r1", text=f"you said {SECRET}"),
            facts.step_finished("r1", status="failed", error=facts.failed(f"bad key {SECRET}")),
            facts.run_finished("r1", output={SECRET: [SECRET]}),
        )
        step = store.reader.step("r1", "draft")
        assert step is not None
        sent = "".join(segment.text for segment in step.attempts[0].messages[1].segments)
        assert sent == f"Summarise: {facts.LONG} {MARK}\nAbout dogs"
        assert step.attempts[0].reply_text == f"you said {MARK}"
    for file in tmp_path.iterdir():
        assert b"0123456789" not in file.read_bytes()


def test_patterns_clean_errors_and_refused_replies_but_never_what_a_model_wrote(store: Store) -> None:
    lesson = "In HTTP you send 'Authorization: Bearer abcdefgh12345678'."
    tell(
        store.journal(),
        facts.run_started("r1", {"text": lesson}),
        facts.step_started("r1", value=lesson),
        facts.attempt_started("r1"),
        facts.attempt_finished("r1", status="failed", text=lesson, http_status=401, error=facts.failed(lesson)),
        facts.attempt_started("r1", n=2),
        facts.attempt_finished("r1", n=2, text=lesson),
        facts.step_finished("r1", output=lesson),
    )
    step = store.reader.step("r1", "draft")
    assert step is not None
    refused, answered = step.attempts
    assert refused.reply_text is not None and "abcdefgh12345678" not in refused.reply_text
    assert refused.error is not None and "abcdefgh12345678" not in refused.error.message
    assert answered.reply_text == lesson
    assert step.output is not None and step.output.text is not None
    assert decode(step.output.text) == lesson


def test_a_binding_and_its_request_name_the_same_payload_after_redaction(tmp_path: Path) -> None:
    text = SECRET * 10  # redaction makes it shorter than what stands inline
    with Store.open(tmp_path / "t.db", redactor=Redactor([SECRET])) as store:
        binding = Binding("text", Value(text), "$input")
        tell(store.journal(), facts.run_started("r1"), facts.step_started("r1", bindings=(binding,)))
        tell(store.journal(), facts.attempt_started("r1", request=facts.request(text)))
        named = decode(row(store, "SELECT request FROM v_attempts")["request"])["messages"][1]["segments"][1]["p"]
        assert bytes.fromhex(named) == row(store, "SELECT hash FROM step_inputs WHERE path = 'draft'")["hash"]
        assert store.reader.payload(named) == encode(MARK * 10)


def test_the_heartbeat_is_part_of_a_commit_when_it_is_due(store: Store) -> None:
    journal = store.journal()
    before = row(store, "SELECT seen_at FROM processes")["seen_at"]
    journal._writer._seen -= 60
    at = now_us()
    tell(journal, facts.run_started("r1"))
    assert before <= at <= row(store, "SELECT seen_at FROM processes")["seen_at"]
