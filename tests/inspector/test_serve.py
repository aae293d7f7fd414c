"""The server as a process: its port, the word it leaves of itself, the links made from it, its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from chainlab.inspector.assets import load_assets
from chainlab.inspector.link import InspectorState, link, remove_state, running, start_url, state_file, write_state
from chainlab.inspector.serve import bound_socket
from chainlab.store.store import Store
from tests.inspector.attacked import WAIT, echo, open_lab
from tests.inspector.desk import fresh_key
from tests.inspector.server import server
from tests.inspector.siege import besieged
from tests.patience import LIMIT_S, until


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / ".chainlab" / "traces.db"
    path.parent.mkdir()
    Store.open(path).close()
    return path


def test_a_start_address_opens_the_page_once_and_the_cookie_the_api(database: Path) -> None:
    with server(database) as (_, url):
        jar = CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        with browser.open(url) as page:
            assert page.status == 200 and "token" not in page.url
        with browser.open(url.partition("/start")[0] + "/api/runs") as reply:
            assert json.load(reply) == {"runs": [], "next": None}
            assert "server" not in reply.headers
        with pytest.raises(urllib.error.HTTPError, match="403") as refused:
            urllib.request.urlopen(url)
        refused.value.close()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_word_of_itself_and_takes_it_back(database: Path, sent: signal.Signals) -> None:
    place = state_file(database)
    with server(database) as (process, url):
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        state = running(place)
        assert state is not None and url.startswith(state.url + "/start?token=")
        assert state.pid == process.pid
        process.send_signal(sent)
        process.wait(LIMIT_S)
        assert not place.exists()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_its_end_cancels_what_runs_and_that_is_written(database: Path, sent: signal.Signals) -> None:
    with open_lab(database) as lab:
        run = lab.run_sync(echo, 1, 2, 3).id
    with besieged(database) as (process, page):
        edits = [{"step": "repeat", "template": f"{WAIT} {{{{ x }}}}"}]
        reply = page.post(f"runs/{run}/replay", {"edits": edits, "idempotency_key": fresh_key()})
        fork = reply.json()["run_id"]
        until(lambda: page.client.get(f"/api/runs/{fork}").json()["steps"], "the step that waits")
        process.send_signal(sent)
        process.wait(LIMIT_S)
        assert process.returncode == (0 if sent is signal.SIGINT else 128 + signal.SIGTERM)
    with open_lab(database) as lab:
        assert lab.get(fork).status == "cancelled"
    with sqlite3.connect(database) as connection:  # its process said that it ends
        ended = (
            "SELECT count(*) FROM runs r JOIN processes p ON p.id = r.process_id WHERE r.id = ? AND ended_at IS NULL"
        )
        assert connection.execute(ended, (fork,)).fetchone() == (0,)


def test_links_made_by_others_open_the_server(database: Path) -> None:
    with server(database) as (_, _url):
        made = link(state_file(database), "06abc", "outer/draft[3]", database=database)
        assert made is not None and made.endswith("#/runs/06abc?step=outer%2Fdraft%5B3%5D")
        with urllib.request.urlopen(made) as page:
            assert page.status == 200
        assert link(state_file(database), "06abc", database=database.with_name("other.db")) is None


def test_a_taken_port_gives_way_to_the_next(database: Path, tmp_path: Path) -> None:
    with bound_socket(0) as taken:
        port = taken.getsockname()[1]
        with server(database, port) as (_, url):
            assert url.startswith("http://127.0.0.1:") and f":{port}/" not in url


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """asyncio turns Nagle's algorithm off for sockets that are named as TCP; those that are accepted take the name."""
    with bound_socket(0) as listener:
        with socket.create_connection(listener.getsockname()):
            accepted, _ = listener.accept()
            with accepted:
                assert accepted.proto == socket.IPPROTO_TCP


def test_there_is_no_link_without_a_living_inspector(tmp_path: Path) -> None:
    place = tmp_path / "inspector.json"
    assert link(place, "06abc") is None
    for broken in ("", "{}", "[]", '{"port": "x"}', "\x00"):
        place.write_text(broken)
        assert link(place, "06abc") is None
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_state(place, InspectorState(8642, gone.pid, "x", "secret"))
    assert link(place, "06abc") is None


def test_a_state_file_cannot_send_anybody_elsewhere(tmp_path: Path) -> None:
    place = tmp_path / "inspector.json"
    state = InspectorState(8642, os.getpid(), "x", "secret")
    write_state(place, state)
    place.write_text(json.dumps(json.loads(place.read_text()) | {"url": "http://evil.example"}))
    assert (link(place, "06abc") or "").startswith("http://127.0.0.1:8642/start?token=")


def test_only_its_own_word_is_taken_back(tmp_path: Path) -> None:
    place = tmp_path / "inspector.json"
    write_state(place, InspectorState(8642, os.getpid(), "x", "secret"))
    remove_state(place, os.getpid() + 1)
    assert place.exists()
    remove_state(place, os.getpid())
    assert not place.exists()


def test_the_state_stands_beside_the_database(tmp_path: Path) -> None:
    assert state_file(tmp_path / ".chainlab" / "traces.db") == tmp_path / ".chainlab" / "inspector.json"
    assert state_file(tmp_path / "mine.db") == tmp_path / ".chainlab" / "inspector.json"


def test_two_links_are_never_the_same() -> None:
    state = InspectorState(8642, 1, "x", "secret")
    assert start_url(state) != start_url(state)


def test_without_a_built_page_the_root_says_how_to_build_it(tmp_path: Path) -> None:
    assert set(load_assets(tmp_path)) == {"/"}
    page = load_assets(tmp_path)["/"]
    assert b"pip install -e ." in page.body and b"<script" not in page.body


def test_only_the_files_of_the_page_are_served(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "icon.svg", "assets/app-1.js", ".ui-digest"):
        (tmp_path / name).write_text(name)
    found = load_assets(tmp_path)
    assert set(found) == {"/", "/icon.svg", "/assets/app-1.js"}
    assert "immutable" in found["/assets/app-1.js"].cache and "immutable" not in found["/"].cache
