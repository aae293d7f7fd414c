"""`floor_dag_durable`: the rows that chainlab commits, byte for byte, before anything is handed on, and nothing else.

No events, no fence, no redaction, no failure: tuples built in the loop, which commits few itself, at once for a
chain that is alone, as chainlab does; more are committed by a thread. `same_rows.py` compares its database with
chainlab's.
"""

from __future__ import annotations

import asyncio
import json
import queue
import sqlite3
import threading
import time
from collections.abc import Awaitable
from hashlib import blake2b
from pathlib import Path
from typing import Any

from chainlab.store.connection import CHECKPOINT_PAGES
from tests.benchmarks.workload import TAKEN, TEXT

_PAYLOAD = "insert into payloads (hash, codec, size, body) values (?, 'json', ?, ?) on conflict do nothing"
_RUN = (
    "insert into runs (id, project, chain, spec_hash, status, kind, root_run_id, inputs_hash, started_at, process_id,"
    " change) values (?, '', ?, ?, 'running', 'run', ?, ?, ?, 'floor', ?)"
)
_EACH = (
    "insert into steps (run_id, path, step, kind, sort, status, reuse_key, started_at, change)"
    " values (?, 'each', 'each', 'each', '0000', 'running', ?, ?, ?)"
)
_STEP = (
    "insert into steps (run_id, path, step, kind, sort, status, model, backend, reuse_key, started_at, attempts,"
    " change) values (?, ?, 'ask', 'prompt', ?, 'running', 'scripted', 'scripted', ?, ?, 1, ?)"
)
_STEP_DONE = (
    "update steps set status = 'ok', output_hash = ?, output_text = ?, attempts = ?, finished_at = ?, duration_us = ?,"
    " change = ? where run_id = ? and path = ?"
)
_INPUT = (
    "insert into step_inputs (run_id, path, name, hash, value_text, from_path, from_field) values (?, ?, ?, ?, ?, ?, ?)"
)
_ATTEMPT = (
    "insert into attempts (run_id, path, n, reason, status, process_id, backend, model, request_hash, request_text,"
    " started_at) values (?, ?, 1, 'first', 'running', 'floor', 'scripted', 'scripted', ?, ?, ?)"
)
_ATTEMPT_DONE = (
    "update attempts set status = 'ok', duration_us = ?, response_hash = ?, response_text = ?, finish_reason = 'stop'"
    " where run_id = ? and path = ? and n = 1"
)
_RUN_DONE = (
    "update runs set status = 'ok', output_hash = ?, output_text = ?, finished_at = ?, duration_us = ?,"
    " steps_total = ?, steps_ok = ?, change = ? where id = ?"
)
_TICK = "update store set change = change + ? returning change"
_ORDER = (_PAYLOAD, _RUN, _EACH, _STEP, _STEP_DONE, _INPUT, _ATTEMPT, _ATTEMPT_DONE, _RUN_DONE)
_CHANGE_AT = {_RUN: 6, _EACH: 3, _STEP: 5, _STEP_DONE: 5, _RUN_DONE: 6}  # where the change number stands in a row

_LITTLE = 60  # rows
_PAGES, _ROWS_A_PAGE = 11, 20  # that a commit writes, about
_VALUE, _REQUEST = 100, 500  # bytes: longer ones are payloads

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=20).digest()


def _reuse_key(name: str, hashed: bytes) -> bytes:
    digest = blake2b(digest_size=20)
    for part in (b"prompt", b"definition of 20 bytes", name.encode(), hashed, b"scripted|scripted"):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


class DurableLog:
    """The same rows, committed by one thread for everybody who waits."""

    def __init__(self, path: Path, spec: bytes, *, fan: bool) -> None:
        self._spec, self._spec_hash, self._fan = spec, _digest(spec), fan
        literal = _encode(TEXT).encode()
        self._literal = _digest(literal), len(literal), literal  # of every prompt: made once
        self._rows: list[tuple[str, tuple[Any, ...]]] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma synchronous = normal")
        self._connection.execute("pragma wal_autocheckpoint = 0")
        self._path, self._pages = path, 0
        self._lock = threading.Lock()
        self._runs: dict[int, tuple[str, int]] = {}
        self._outputs: dict[tuple[int, int], tuple[bytes, str | None]] = {}
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def run_started(self, run: int, text: Any) -> None:
        """The run, its spec and its input."""
        now, name = time.time_ns() // 1000, f"run{run:017d}"
        self._runs[run] = name, now
        self._rows.append((_PAYLOAD, (self._spec_hash, len(self._spec), self._spec)))
        hashed, inline = self._kept(text)
        field, chain = ("texts", "fan") if self._fan else ("text", "line")
        inputs = _digest(_encode({field: text}).encode())
        self._rows.append((_RUN, (name, chain, self._spec_hash, name, inputs, now)))
        self._rows.append((_INPUT, (name, "$input", field, hashed, inline, None, None)))
        if self._fan:
            self._rows.append((_EACH, (name, _reuse_key("items", hashed), now)))
            self._rows.append((_INPUT, (name, "each", "items", hashed, inline, "$input", "texts")))

    def started(self, run: int, step: int, text: str) -> None:
        """A step and its first attempt: what it got and where from, and the request."""
        name, now = self._runs[run][0], time.time_ns() // 1000
        if self._fan:
            path, sort, origin, field = f"ask[{step}]", f"0000.{step:06d}.0000", "$input", f"texts[{step}]"
        elif step:
            path, sort, origin, field = _path(step), f"{step:04d}", _path(step - 1), None
        else:
            path, sort, origin, field = _path(0), "0000", "$input", "text"
        hashed, inline = self._outputs.pop((run, step - 1)) if not self._fan and step else self._kept(text)
        self._rows.append((_PAYLOAD, self._literal))
        segments = [{"p": self._literal[0].hex()}, *([text[:TAKEN]] if text else [])]
        request = {"messages": [{"role": "user", "segments": segments}], "parameters": {"model": "scripted"}}
        self._rows.append((_STEP, (name, path, sort, _reuse_key("text", hashed), now)))
        self._rows.append((_INPUT, (name, path, "text", hashed, inline, origin, field)))
        self._rows.append((_ATTEMPT, (name, path, *self._kept(request, _REQUEST), now)))

    def finished(self, run: int, step: int, text: str, reply: str, began: int) -> None:
        """The end of a step and of its attempt: the reply and the output."""
        name, now, took = self._runs[run][0], time.time_ns() // 1000, (time.monotonic_ns() - began) // 1000
        path = f"ask[{step}]" if self._fan else _path(step)
        output = self._kept(reply)
        if not self._fan:
            self._outputs[run, step] = output
        self._rows.append((_ATTEMPT_DONE, (took, *output, name, path)))
        self._rows.append((_STEP_DONE, (*output, 1, now, took, name, path)))

    def run_finished(self, run: int, output: Any, steps: int) -> None:
        """The end of the run."""
        name, began = self._runs.pop(run)
        now = time.time_ns() // 1000
        kept = self._kept(output)
        if self._fan:
            self._rows.append((_STEP_DONE, (*kept, 0, now, now - began, name, "each")))
        self._rows.append((_RUN_DONE, (*kept, now, now - began, steps, steps, name)))

    def durable(self) -> Awaitable[None] | None:
        """When everything said so far is committed; None: it is."""
        if not self._fan and len(self._runs) <= 1 and not self._waiting and self._lock.acquire(blocking=False):
            rows, self._rows = self._rows, []
            self._commit(rows)
            self._lock.release()
            if self._pages > CHECKPOINT_PAGES:
                self._jobs.put(([], asyncio.get_running_loop(), []))
            return None
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush, loop)
        self._waiting.append(done)
        return done

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        rows, self._rows = self._rows, []
        waiting, self._waiting = self._waiting, []
        if len(rows) > _LITTLE or not self._lock.acquire(blocking=False):
            self._jobs.put((rows, loop, waiting))
            return
        self._commit(rows)
        self._lock.release()
        _wake(waiting)
        if self._pages > CHECKPOINT_PAGES:
            self._jobs.put(([], loop, []))

    def flush(self) -> None:
        """Nothing is left: everybody waited."""

    def close(self) -> None:
        """Stop the thread."""
        self._jobs.put(None)
        self._thread.join()
        self._connection.close()

    def _kept(self, value: Any, in_row: int = _VALUE) -> tuple[bytes, str | None]:
        body = _encode(value).encode()
        name = _digest(body)
        if len(body) <= in_row:
            return name, body.decode()
        self._rows.append((_PAYLOAD, (name, len(body), body)))
        return name, None

    def _write(self) -> None:
        going = True
        while going:
            jobs = [self._jobs.get()]
            while not self._jobs.empty():
                jobs.append(self._jobs.get())
            if jobs[-1] is None:
                jobs.pop()
                going = False
            with self._lock:
                self._commit([row for rows, _, _ in jobs for row in rows])
            for _, loop, waiting in jobs:
                loop.call_soon_threadsafe(_wake, waiting)
            if self._pages > CHECKPOINT_PAGES:
                self._copy_log()

    def _copy_log(self) -> None:
        self._pages = 0
        copier = sqlite3.connect(self._path)
        copier.execute("pragma wal_checkpoint(passive)")  # beside the loop's commits
        copier.close()
        with self._lock:
            self._connection.execute("pragma wal_checkpoint(passive)")

    def _commit(self, rows: list[tuple[str, tuple[Any, ...]]]) -> None:
        connection = self._connection
        self._pages += _PAGES + len(rows) // _ROWS_A_PAGE
        by_statement: dict[str, list[tuple[Any, ...]]] = {statement: [] for statement in _ORDER}
        connection.execute("begin immediate")
        count = sum(statement in _CHANGE_AT for statement, _ in rows)
        change: int = connection.execute(_TICK, (count,)).fetchone()[0] - count
        for statement, row in rows:
            at = _CHANGE_AT.get(statement)
            if at is not None:
                change += 1
                row = (*row[:at], change, *row[at:])
            by_statement[statement].append(row)
        for statement, some in by_statement.items():
            if some:
                connection.executemany(statement, some)
        connection.execute("commit")


def _path(step: int) -> str:
    return f"ask~{step + 1}" if step else "ask"


def _wake(waiting: list[asyncio.Future[None]]) -> None:
    for done in waiting:
        if not done.done():
            done.set_result(None)
