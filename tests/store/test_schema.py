"""The schema as the design names it, on a real SQLite and a real PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from chainlab.store import migrations, views
from chainlab.store.schema import metadata
from chainlab.store.store import Store
from tests.store.postgresql import server

DESIGN = {
    "store": "id epoch change",
    "processes": "id host boot_id pid pid_started version started_at seen_at ended_at",
    "payloads": "hash codec size body",
    "specs": "hash project chain payload_hash first_seen_at",
    "runs": "id project chain spec_hash status kind label parent_run_id root_run_id batch_id batch_key arm sample"
    " edits_hash idempotency_key inputs_hash output_hash output_text error_code error_message error_path started_at"
    " finished_at duration_us steps_total steps_ok steps_failed steps_skipped steps_reused tokens_in tokens_out"
    " cost_nano trace_lost kept_at process_id source change",
    "run_tags": "run_id tag",
    "steps": "run_id path step kind sort status model backend adapter reuse_key output_hash output_text origin_run_id"
    " origin_path cause_path error_code error_message attempts started_at finished_at duration_us queue_us ttft_us"
    " tokens_in tokens_out cost_nano change",
    "step_inputs": "run_id path name hash value_text from_path from_field",
    "attempts": "run_id path n reason status process_id backend model base adapter adapter_hash request_hash"
    " response_hash http_status error_code error_message finish_reason served_model started_at duration_us ttft_us"
    " tokens_in tokens_out cost_nano tokens_cached gauges request_text response_text",
    "results": "key run_id path created_at",
    "tombstones": "change kind key",
    "batches": "id project kind chain edits_hash plan_hash idempotency_key status total done summary created_at"
    " finished_at process_id change",
}
INDEXES = {
    "specs_chain", "runs_started", "runs_project_started", "runs_chain_started", "runs_root", "runs_parent",
    "runs_batch", "runs_idempotency", "runs_failed", "runs_live", "runs_change", "run_tags_tag", "steps_change",
    "steps_failed", "batches_idempotency", "batches_change", "results_run",
}  # fmt: skip

FILL = (
    "INSERT INTO payloads (hash, codec, size, body) VALUES (:h, 'json', 6, :body)",
    "INSERT INTO runs (id, project, chain, spec_hash, status, kind, root_run_id, inputs_hash, output_hash, started_at,"
    " finished_at, change) VALUES ('r1', 'p', 'brief', :h, 'ok', 'run', 'r1', :h, :h, 1795438351099007,"
    " 1795438352000000, 1)",
    "INSERT INTO steps (run_id, path, step, kind, sort, status, output_text, started_at, change)"
    " VALUES ('r1', 'draft', 'draft', 'prompt', '0', 'ok', '\"short\"', 1795438351099007, 2)",
    "INSERT INTO attempts (run_id, path, n, reason, status, process_id, request_hash, started_at)"
    " VALUES ('r1', 'draft', 1, 'first', 'ok', 'p1', :h, 1795438351099007)",
    "INSERT INTO batches (id, project, kind, chain, edits_hash, plan_hash, status, total, created_at, process_id,"
    " change) VALUES ('b1', 'p', 'backtest', 'brief', :h, :h, 'running', 3, 1795438351099007, 'p1', 3)",
)
HASH = bytes(range(20))


@pytest.fixture(scope="module")
def postgresql() -> Iterator[sa.Engine]:
    with server() as url:
        engine = sa.create_engine(url)
        yield engine
        engine.dispose()


def fill_and_check_views(connection: sa.Connection) -> None:
    for statement in FILL:
        connection.execute(sa.text(statement), {"h": HASH, "body": '"años"'.encode()})
    run = connection.execute(sa.text("SELECT * FROM v_runs")).mappings().one()
    assert run["started_at"] == "2026-11-23T12:52:31.099007Z"
    assert run["finished_at"] == "2026-11-23T12:52:32.000000Z"
    assert run["kept_at"] is None
    assert run["output_hash"] == HASH.hex()
    assert run["output"] == '"años"'
    assert run["cost_nano"] is None
    step = connection.execute(sa.text("SELECT * FROM v_steps")).mappings().one()
    assert (step["chain"], step["output"], step["output_hash"]) == ("brief", '"short"', None)
    batch = connection.execute(sa.text("SELECT * FROM v_batches")).mappings().one()
    assert (batch["edits"], batch["created_at"]) == ('"años"', "2026-11-23T12:52:31.099007Z")
    assert (batch["done"], batch["finished_at"], batch["summary"]) == (0, None, None)
    attempt = connection.execute(sa.text("SELECT * FROM v_attempts")).mappings().one()
    assert (attempt["request"], attempt["response"], attempt["request_hash"]) == ('"años"', None, HASH.hex())


def test_the_tables_and_columns_are_those_of_the_design() -> None:
    assert {name: " ".join(table.columns.keys()) for name, table in metadata.tables.items()} == DESIGN


def test_the_indexes_are_those_that_were_measured() -> None:
    assert {index.name for table in metadata.tables.values() for index in table.indexes} == INDEXES


def test_unknown_cost_is_null_and_the_rest_of_a_run_has_a_default(tmp_path: Path) -> None:
    Store.open(tmp_path / "t.db").close()
    engine = sa.create_engine(f"sqlite:///{tmp_path}/t.db")
    with engine.begin() as connection:
        fill_and_check_views(connection)
        (trace_lost, source, tokens) = connection.exec_driver_sql(
            "SELECT trace_lost, source, tokens_in FROM runs"
        ).one()
        assert (trace_lost, source, tokens) == (0, "chainlab", 0)
    engine.dispose()


def test_narrow_tables_stand_without_rowid_and_payloads_do_not(tmp_path: Path) -> None:
    Store.open(tmp_path / "t.db").close()
    connection = sqlite3.connect(tmp_path / "t.db")
    without = {row[1] for row in connection.execute("PRAGMA table_list") if row[4]}
    connection.close()
    assert without == set(DESIGN) - {"store", "payloads"}


@pytest.mark.postgres
def test_the_migrations_make_the_schema_and_the_views_on_postgresql(postgresql: sa.Engine) -> None:
    with postgresql.begin() as connection:
        migrations.upgrade(connection)
    found = sa.inspect(postgresql)
    for name, columns in DESIGN.items():
        assert " ".join(column["name"] for column in found.get_columns(name)) == columns
    indexes = {index["name"] for name in DESIGN for index in found.get_indexes(name)}
    assert indexes == INDEXES
    assert set(found.get_view_names()) == set(views.NAMES)
    with postgresql.connect() as connection:
        fill_and_check_views(connection)
        collations = connection.execute(
            sa.text(
                "SELECT DISTINCT collation_name FROM information_schema.columns"
                " WHERE table_name = 'runs' AND data_type = 'text'"
            )
        ).scalars()
        assert list(collations) == ["C"]


@pytest.mark.postgres
def test_upgrading_postgresql_twice_changes_nothing(postgresql: sa.Engine) -> None:
    with postgresql.begin() as connection:
        migrations.upgrade(connection)
        migrations.upgrade(connection)
    with postgresql.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == "0005"


@pytest.mark.postgres
def test_the_metadata_and_the_migrations_agree_on_postgresql(postgresql: sa.Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with postgresql.begin() as connection:
        migrations.upgrade(connection)
    with postgresql.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
