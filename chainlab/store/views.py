"""Read-only views for people who type SQL: ISO times, hex hashes, text. Knows table names only.

Views hold no data, so they belong to no migration: they are made anew from here after every one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

Dialect: TypeAlias = Literal["sqlite", "postgresql"]

NAMES = ("v_runs", "v_steps", "v_attempts", "v_batches")


def statements(dialect: Dialect) -> tuple[str, ...]:
    """The CREATE VIEW statements of a dialect, in the order of NAMES."""
    time, hexa, payload = _SQLITE if dialect == "sqlite" else _POSTGRESQL
    runs = ", ".join(
        [
            "r.id", "r.project", "r.chain", hexa("r.spec_hash"), "r.status", "r.kind", "r.label", "r.parent_run_id",
            "r.root_run_id", "r.batch_id", "r.batch_key", "r.arm", "r.sample",
            hexa("r.inputs_hash"), hexa("r.output_hash"),
            f"coalesce(r.output_text, {payload('r.output_hash')}) AS output",
            "r.error_code", "r.error_message", "r.error_path",
            time("r.started_at"), time("r.finished_at"), "r.duration_us",
            "r.steps_total", "r.steps_ok", "r.steps_failed", "r.steps_skipped", "r.steps_reused", "r.tokens_in",
            "r.tokens_out", "r.cost_nano", "r.trace_lost", time("r.kept_at"), "r.process_id", "r.source",
        ]
    )  # fmt: skip
    steps = ", ".join(
        [
            "s.run_id", "r.project", "r.chain", "s.path", "s.step", "s.kind", "s.sort", "s.status",
            "s.model", "s.backend", "s.adapter", hexa("s.reuse_key"), hexa("s.output_hash"),
            f"coalesce(s.output_text, {payload('s.output_hash')}) AS output",
            "s.origin_run_id", "s.origin_path", "s.cause_path", "s.error_code", "s.error_message", "s.attempts",
            time("s.started_at"), time("s.finished_at"), "s.duration_us", "s.queue_us", "s.ttft_us", "s.tokens_in",
            "s.tokens_out", "s.cost_nano",
        ]
    )  # fmt: skip
    attempts = ", ".join(
        [
            "a.run_id", "a.path", "a.n", "a.reason", "a.status", "a.process_id", "a.backend", "a.model",
            "a.base", "a.adapter", hexa("a.adapter_hash"),
            hexa("a.request_hash"), f"coalesce(a.request_text, {payload('a.request_hash')}) AS request",
            hexa("a.response_hash"), f"coalesce(a.response_text, {payload('a.response_hash')}) AS response",
            "a.http_status", "a.error_code", "a.error_message", "a.finish_reason", "a.served_model",
            time("a.started_at"), "a.duration_us", "a.ttft_us",
            "a.tokens_in", "a.tokens_out", "a.cost_nano", "a.tokens_cached", "a.gauges",
        ]
    )  # fmt: skip
    batches = ", ".join(
        [
            "b.id", "b.project", "b.kind", "b.chain", f"{payload('b.edits_hash')} AS edits",
            f"{payload('b.plan_hash')} AS plan", "b.status", "b.total", "b.done", "b.summary",
            time("b.created_at"), time("b.finished_at"), "b.process_id",
        ]
    )  # fmt: skip
    return (
        f"CREATE VIEW v_runs AS SELECT {runs} FROM runs r",
        f"CREATE VIEW v_steps AS SELECT {steps} FROM steps s JOIN runs r ON r.id = s.run_id",
        f"CREATE VIEW v_attempts AS SELECT {attempts} FROM attempts a",
        f"CREATE VIEW v_batches AS SELECT {batches} FROM batches b",
    )


def _name(column: str) -> str:
    return column.split(".")[1]


def _sqlite_time(column: str) -> str:
    seconds = f"strftime('%Y-%m-%dT%H:%M:%S', {column} / 1000000, 'unixepoch')"
    return f"{seconds} || printf('.%06dZ', {column} % 1000000) AS {_name(column)}"


def _sqlite_hex(column: str) -> str:
    return f"nullif(lower(hex({column})), '') AS {_name(column)}"


def _sqlite_payload(column: str) -> str:
    return f"(SELECT CAST(p.body AS TEXT) FROM payloads p WHERE p.hash = {column} AND p.codec = 'json')"


def _postgresql_time(column: str) -> str:
    seconds = f"to_char(to_timestamp({column} / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')"
    return f"{seconds} || '.' || lpad(({column} % 1000000)::text, 6, '0') || 'Z' AS {_name(column)}"


def _postgresql_hex(column: str) -> str:
    return f"encode({column}, 'hex') AS {_name(column)}"


def _postgresql_payload(column: str) -> str:
    return f"(SELECT convert_from(p.body, 'UTF8') FROM payloads p WHERE p.hash = {column} AND p.codec = 'json')"


_Sql: TypeAlias = Callable[[str], str]
_SQLITE: tuple[_Sql, _Sql, _Sql] = (_sqlite_time, _sqlite_hex, _sqlite_payload)
_POSTGRESQL: tuple[_Sql, _Sql, _Sql] = (_postgresql_time, _postgresql_hex, _postgresql_payload)
