"""`doctor`: every subject says ok where it is well, and what helps where it is not. It changes nothing."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from chainlab.backends import chat, embedded, weights
from chainlab.cli import checks
from chainlab.cli.checks import Check
from chainlab.cli.output import size
from chainlab.config.read import parse_config
from chainlab.config.settings import Config
from chainlab.errors import ConfigError
from chainlab.inspector.link import InspectorState, write_state
from chainlab.lab.link import state_file
from chainlab.store.connection import open_writer
from chainlab.store.health import known_trouble
from chainlab.store.store import Store
from tests.cli.conftest import Project

DUMPS = Path(__file__).parents[1] / "store" / "databases"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    Store.open(tmp_path / "t.db").close()
    return tmp_path / "t.db"


def config_of(text: str, root: Path) -> Config:
    return parse_config(text, root, root / "chainlab.toml")


def by_name(found: Iterator[Check] | list[Check]) -> dict[str, Check]:
    return {check.name: check for check in found}


# -- the command -------------------------------------------------------------------------------------------------------


def test_all_is_well_in_a_project_that_ran_once(project: Project) -> None:
    assert project.run("run", "brief.py", "text=tea").code == 0
    before = project.stub.calls
    said = project.run("doctor")
    assert said.code == 0, said.out
    for part in (
        "python",
        "sqlite",
        "model typed",
        "backend stub",
        "integrity",
        "write-ahead log",
        "0600",
        "no problem",
    ):
        assert part in said.out
    assert project.stub.calls == before


def test_programs_get_one_json_object(project: Project) -> None:
    said = project.run("doctor", "--json")
    told = json.loads(said.out)
    assert (said.code, told["ok"]) == (0, True)
    assert all(set(check) == {"name", "status", "says", "fix"} for check in told["checks"])
    assert "none yet" in next(check["says"] for check in told["checks"] if check["name"] == "database")
    assert not (project.folder / ".chainlab").exists()  # it only looks


def test_wrong_settings_are_a_problem_and_the_rest_is_still_looked_at(project: Project) -> None:
    project.write("chainlab.toml", "modelz = 1\n")
    said = project.run("doctor")
    assert (said.code, "1 problem" in said.out) == (1, True)
    assert "unknown key 'modelz'" in said.out and "did you mean 'models'?" in said.out
    assert "disk" in said.out


def test_the_value_of_a_key_is_never_shown(project: Project) -> None:
    with server(401, {"error": {"message": "sk-very-secret-key is not known here"}}) as url:
        project.write("chainlab.toml", f'[backends.own]\nkind = "openai"\nbase_url = "{url}"\napi_key_env = "MY_KEY"\n')
        said = project.run("doctor", "--online", MY_KEY="sk-very-secret-key")
    assert said.code == 1
    assert "MY_KEY is set" in said.out and "own answered 401" in said.out
    assert "secret" not in said.out + said.err


# -- settings and models -----------------------------------------------------------------------------------------------


def test_every_alias_is_resolved(tmp_path: Path) -> None:
    text = """
    [models]
    good = "vllm:llama-3"
    adapted = "embedded:smollm2-135m-instruct+mine"
    away = { path = "models/none.gguf" }
    nameless = "vllm"
    """
    found = by_name(checks.settings(config_of(text, tmp_path)))
    assert found["model good"].status == "ok"
    assert (found["model adapted"].status, "adapter" in found["model adapted"].says) == ("problem", True)
    assert (found["model away"].status, "none.gguf" in found["model away"].fix) == ("problem", True)
    assert (found["model nameless"].status, "vllm:MODEL" in found["model nameless"].fix) == ("problem", True)


def test_weights_that_are_not_there_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINLAB_CACHE", str(tmp_path / "cache"))
    (found,) = checks.built_in(Config(tmp_path))
    assert (found.status, found.fix) == ("warning", weights.PULL)
    assert by_name(checks.settings(Config(tmp_path)))["default model"].status == "warning"
    assert not (tmp_path / "cache").exists()


def test_weights_of_the_right_size_and_the_wrong_content_are_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAINLAB_CACHE", str(tmp_path))
    known = weights.BUILT_IN[embedded.DEFAULT_MODEL]
    with (tmp_path / known.file_name).open("wb") as file:
        file.truncate(known.size)
    (found,) = checks.built_in(Config(tmp_path))
    assert (found.status, "damaged" in found.says, found.fix) == ("problem", True, weights.PULL)


def test_a_missing_engine_is_a_problem_only_where_a_model_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise ConfigError("no xllamacpp", code="missing-extra", remedy='pip install "chainlab[local]"')

    monkeypatch.setattr(embedded, "_engine", missing)
    (found,) = checks.built_in(Config(tmp_path))
    assert (found.status, found.fix) == ("warning", 'pip install "chainlab[local]"')
    assert by_name(checks.settings(Config(tmp_path)))["default model"].status == "problem"
    elsewhere = config_of('default_model = "vllm:llama-3"', tmp_path)
    assert by_name(checks.settings(elsewhere))["default model"].status == "ok"


def test_a_key_that_is_not_set_is_a_warning_where_something_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    unused = by_name(checks.keys(Config(tmp_path)))["backend openai"]
    assert (unused.status, "nothing here uses it" in unused.says) == ("ok", True)
    for text in ('default_model = "openai:x"', '[models]\na = "openai:x"', '[backends.openai]\napi_key_env = "OTHER"'):
        found = by_name(checks.keys(config_of(text, tmp_path)))["backend openai"]
        assert (found.status, found.fix.startswith("export O")) == ("warning", True), text


# -- servers -----------------------------------------------------------------------------------------------------------


@contextmanager
def server(status: int, answer: Any, wait: bool = False) -> Iterator[str]:
    """A server that answers every GET so, or never."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if wait:
                self.rfile.read(1)  # until the client goes away
                return
            body = json.dumps(answer).encode()
            self.send_response(status if self.path == "/v1/models" else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            return

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = Thread(target=running.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_address[1]}/v1"
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


def asked(url: str, folder: Path) -> list[Check]:
    text = f'[models]\na = "own:llama"\nb = "own:other"\n[backends.own]\nkind = "openai"\nbase_url = "{url}"\n'
    return asyncio.run(checks.servers(config_of(text, folder)))


def test_a_server_is_asked_for_the_models_that_the_aliases_name(tmp_path: Path) -> None:
    with server(200, {"object": "list", "data": [{"id": "llama"}, {"id": "mistral"}]}) as url:
        found = asked(url, tmp_path)
    assert [(check.name, check.status) for check in found] == [("server own", "ok"), ("model b", "warning")]
    assert "2 models" in found[0].says and "'other'" in found[1].says and "llama, mistral" in found[1].fix


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (500, {}, "answered 500"),
        (200, ["llama"], "is not one"),
        (200, {"data": [3]}, "is not one"),
        (401, {}, "answered 401"),
    ],
)
def test_a_server_that_answers_something_else_is_a_problem(tmp_path: Path, status: int, answer: Any, says: str) -> None:
    with server(status, answer) as url:
        (found,) = asked(url, tmp_path)
    assert (found.name, found.status, bool(found.fix)) == ("server own", "problem", True)
    assert says in found.says


def test_a_server_that_is_silent_or_away_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(200, {}, wait=True) as url, monkeypatch.context() as impatient:
        impatient.setattr(chat, "ASK_S", 0.2)
        (silent,) = asked(url, tmp_path)
    (away,) = asked(url, tmp_path)
    assert (silent.status, "did not answer within 0.2 s" in silent.says) == ("problem", True)
    assert (away.status, "cannot be reached" in away.says) == ("problem", True)


def test_servers_that_nothing_uses_are_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert asyncio.run(checks.servers(Config(tmp_path))) == []


# -- the database ------------------------------------------------------------------------------------------------------


def test_a_sound_database_has_nothing_but_ok(database: Path) -> None:
    found = by_name(checks.database(database))
    assert list(found) == ["database", "integrity", "write-ahead log", "permissions", "writable"]
    assert {check.status for check in found.values()} == {"ok"}
    assert list(database.parent.iterdir()) == [database]


def test_an_older_database_is_a_warning_and_stays_as_it_is(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "old.db")
    old.executescript((DUMPS / "v1.sql").read_text())
    old.close()
    found = by_name(checks.database(tmp_path / "old.db"))["database"]
    assert (found.status, "version 1 of " in found.says) == ("warning", True)
    again = sqlite3.connect(tmp_path / "old.db")
    assert again.execute("PRAGMA user_version").fetchone() == (1,)
    again.close()


def test_a_newer_database_is_a_problem(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    (found,) = checks.database(database)
    assert (found.status, "version 99" in found.says, "--upgrade" in found.fix) == ("problem", True, True)


def test_a_damaged_database_is_a_problem(database: Path) -> None:
    body = bytearray(database.read_bytes())
    page = 16_384
    for start in range(page, len(body), page):  # the first page is left, so that it is still known for ours
        body[start : start + 200] = b"\xff" * 200
    database.write_bytes(body)
    found = list(checks.database(database))
    assert "problem" in {check.status for check in found}
    assert any(".recover" in check.fix for check in found)


def test_a_file_of_another_program_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "t.db").write_text("Dear diary, " * 100)
    (found,) = checks.database(tmp_path / "t.db")
    assert (found.status, "not a trace database" in found.says) == ("problem", True)
    (found,) = checks.database(tmp_path)
    assert (found.status, "a folder stands" in found.says) == ("problem", True)


def test_a_database_that_others_may_read_is_a_warning(database: Path) -> None:
    database.chmod(0o644)
    found = by_name(checks.database(database))["permissions"]
    assert (found.status, found.fix) == ("warning", f"chmod 600 {database}")
    assert stat.S_IMODE(database.stat().st_mode) == 0o644


def test_a_database_that_is_being_written_is_a_warning(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "WRITE_SECONDS", 0.05)
    writer = open_writer(database)
    writer.execute("BEGIN IMMEDIATE")
    found = by_name(checks.database(database))["writable"]
    writer.close()
    assert (found.status, "another process is writing" in found.says) == ("warning", True)


def test_a_log_that_has_grown_is_a_warning(database: Path) -> None:
    with database.with_name("t.db-wal").open("wb") as file:
        file.truncate(100_000_000)
    found = by_name(checks.database(database))["write-ahead log"]
    assert (found.status, found.says) == ("warning", "100 MB")


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ((3, 40, 1), True), ((3, 44, 5), True), ((3, 44, 6), False), ((3, 50, 6), True), ((3, 50, 7), False),
        ((3, 51, 2), True), ((3, 51, 3), False), ((3, 52, 0), True), ((3, 53, 0), False),
    ],
)  # fmt: skip
def test_versions_of_sqlite_with_a_known_fault_are_named(version: tuple[int, int, int], known: bool) -> None:
    assert (known_trouble(version) is not None) == known


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_a_running_inspector_of_this_database_is_named(database: Path) -> None:
    assert by_name(checks.inspector(database))["inspector"].says == "does not run"
    for shown, says in ((database, "runs at http://127.0.0.1:8642"), (database.with_name("o.db"), "does not run")):
        write_state(state_file(database), InspectorState(8642, os.getpid(), str(shown), "secret"))
        assert by_name(checks.inspector(database))["inspector"].says == says


def test_a_page_that_is_not_built_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chainlab.inspector import assets

    monkeypatch.setattr(assets, "STATIC", tmp_path)
    assert by_name(checks.inspector(tmp_path / "t.db"))["page"].status == "warning"
    (tmp_path / "index.html").write_text("<!doctype html>")
    assert by_name(checks.inspector(tmp_path / "t.db"))["page"].status == "ok"


@pytest.mark.parametrize(("free", "status"), [(5_000_000_000, "ok"), (500_000_000, "warning"), (5_000_000, "problem")])
def test_little_space_is_a_warning_and_none_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: str
) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage)
    (found,) = checks.disk(tmp_path / "not" / "yet" / "t.db")
    assert found.status == status


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (3_210, "3.2 kB"), (98_362_432, "98 MB"), (999_600, "1.0 MB")],
)
def test_sizes_are_short(count: int, text: str) -> None:
    assert (size(count), size(5 * 10**12)) == (text, "5.0 TB")
