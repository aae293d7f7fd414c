"""The tables of the trace database, one SQLAlchemy Core schema for SQLite and PostgreSQL. Knows no driver and no event.

Names are public: users query them. Why it is so: rows, not events (a third of the bytes); hashes as 20-byte blobs;
times as microseconds since 1970 UTC; cost in nano-units and NULL when unknown; no jsonb (it refuses NUL and lone
surrogates and reorders keys). Text sorts by bytes on both databases. Friendly views stand in `views.py`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")  # the order of SQLite's BINARY
INT = sa.BigInteger()
HASH = sa.LargeBinary()  # blake2b-160


def _key(name: str, kind: Any = TEXT) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _must(name: str, kind: Any = TEXT, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=default)


def _may(name: str, kind: Any = TEXT) -> sa.Column[Any]:
    return sa.Column(name, kind)


def _index(name: str, *columns: str, unique: bool = False, where: str | None = None) -> sa.Index:
    condition = None if where is None else sa.text(where)
    return sa.Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def _table(name: str, *parts: sa.Column[Any] | sa.Index, rowid: bool = False) -> sa.Table:
    # Narrow rows under a text key are smaller and faster WITHOUT ROWID; payload bodies are not.
    return sa.Table(name, metadata, *parts, sqlite_with_rowid=rowid)


store = _table("store", _key("id"), _must("epoch", INT), _must("change", INT), rowid=True)

processes = _table(
    "processes",
    _key("id"),
    _must("host"),
    _must("boot_id"),
    _must("pid", INT),
    _must("pid_started", INT),
    _must("version"),
    _must("started_at", INT),
    _must("seen_at", INT),
    _may("ended_at", INT),
)

payloads = _table(
    "payloads",
    _key("hash", HASH),
    _must("codec"),
    _must("size", INT),
    _must("body", sa.LargeBinary()),
    rowid=True,
)

specs = _table(
    "specs",
    _key("hash", HASH),
    _must("project"),
    _must("chain"),
    _must("payload_hash", HASH),
    _must("first_seen_at", INT),
    _index("specs_chain", "project", "chain", "first_seen_at"),
)

runs = _table(
    "runs",
    _key("id"),
    _must("project"),
    _must("chain"),
    _must("spec_hash", HASH),
    _must("status"),
    _must("kind"),
    _may("label"),
    _may("parent_run_id"),
    _must("root_run_id"),
    _may("batch_id"),
    _must("batch_key", default=""),
    _must("arm", default=""),
    _must("sample", INT, default="0"),
    _may("edits_hash", HASH),
    _may("idempotency_key"),
    _must("inputs_hash", HASH),
    _may("output_hash", HASH),
    _may("output_text"),
    _may("error_code"),
    _may("error_message"),
    _may("error_path"),
    _must("started_at", INT),
    _may("finished_at", INT),
    _may("duration_us", INT),
    _must("steps_total", INT, default="0"),
    _must("steps_ok", INT, default="0"),
    _must("steps_failed", INT, default="0"),
    _must("steps_skipped", INT, default="0"),
    _must("steps_reused", INT, default="0"),
    _must("tokens_in", INT, default="0"),
    _must("tokens_out", INT, default="0"),
    _may("cost_nano", INT),  # NULL: unknown, never 0
    _must("trace_lost", INT, default="0"),
    _may("kept_at", INT),
    _may("process_id"),
    _must("source", default="chainlab"),
    _must("change", INT),
    _index("runs_started", "started_at", "id"),  # lists that span projects
    _index("runs_project_started", "project", "started_at", "id"),
    _index("runs_chain_started", "project", "chain", "started_at"),
    _index("runs_root", "root_run_id"),
    _index("runs_parent", "parent_run_id", where="parent_run_id IS NOT NULL"),
    _index("runs_batch", "batch_id", "batch_key", "arm", "sample", unique=True, where="batch_id IS NOT NULL"),
    _index("runs_idempotency", "idempotency_key", unique=True, where="idempotency_key IS NOT NULL"),
    _index("runs_failed", "project", "started_at", where="status = 'failed'"),
    _index("runs_live", "process_id", where="status IN ('queued', 'running')"),
    _index("runs_change", "change"),
)

run_tags = _table("run_tags", _key("run_id"), _key("tag"), _index("run_tags_tag", "tag", "run_id"))

steps = _table(
    "steps",
    _key("run_id"),
    _key("path"),
    _must("step"),
    _must("kind"),
    _must("sort"),
    _must("status"),
    _may("model"),
    _may("backend"),
    _may("adapter"),
    _may("reuse_key", HASH),
    _may("output_hash", HASH),
    _may("output_text"),
    _may("origin_run_id"),
    _may("origin_path"),
    _may("cause_path"),
    _may("error_code"),
    _may("error_message"),
    _must("attempts", INT, default="0"),
    _may("started_at", INT),
    _may("finished_at", INT),
    _may("duration_us", INT),
    _may("queue_us", INT),
    _may("ttft_us", INT),
    _may("tokens_in", INT),
    _may("tokens_out", INT),
    _may("cost_nano", INT),
    _must("change", INT),
    _index("steps_change", "change"),
    _index("steps_failed", "step", "started_at", where="status = 'failed'"),
)

step_inputs = _table(
    "step_inputs",
    _key("run_id"),
    _key("path"),  # '$input': the run's own inputs
    _key("name"),
    _must("hash", HASH),
    _may("value_text"),
    _may("from_path"),
    _may("from_field"),
)

attempts = _table(
    "attempts",
    _key("run_id"),
    _key("path"),
    _key("n", INT),
    _must("reason"),
    _must("status"),
    _must("process_id"),
    _may("backend"),
    _may("model"),
    _may("base"),
    _may("adapter"),
    _may("adapter_hash", HASH),
    _may("request_hash", HASH),
    _may("response_hash", HASH),
    _may("http_status", INT),
    _may("error_code"),
    _may("error_message"),
    _may("finish_reason"),
    _may("served_model"),
    _must("started_at", INT),
    _may("duration_us", INT),
    _may("ttft_us", INT),
    _may("tokens_in", INT),
    _may("tokens_out", INT),
    _may("cost_nano", INT),
    _may("tokens_cached", INT),  # of the prompt, those that the backend did not read again
    _may("gauges"),  # JSON: how busy the backend was
    _may("request_text"),  # JSON: a short one stands here and is no payload
    _may("response_text"),
)

results = _table(
    "results",
    _key("key", HASH),  # of everything that was sent, and who answered
    _must("run_id"),
    _must("path"),
    _must("created_at", INT),
    _index("results_run", "run_id"),
)

tombstones = _table("tombstones", _key("change", INT), _must("kind"), _must("key"))

batches = _table(
    "batches",
    _key("id"),
    _must("project"),
    _must("kind"),
    _must("chain"),
    _must("edits_hash", HASH),
    _must("plan_hash", HASH),
    _may("idempotency_key"),
    _must("status"),
    _must("total", INT),
    _must("done", INT, default="0"),
    _may("summary"),
    _must("created_at", INT),
    _may("finished_at", INT),
    _must("process_id"),
    _must("change", INT),
    _index("batches_idempotency", "idempotency_key", unique=True, where="idempotency_key IS NOT NULL"),
    _index("batches_change", "change"),
)
