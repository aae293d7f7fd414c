"""Templates of strangers, over HTTP, to a real server: each ends soon, none gets out, the server goes on answering."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chainlab.spec.template import Template
from tests.attacks import ATTACKS, CONTENT, ENVIRONMENT, Attack
from tests.inspector.attacked import RENDERED, echo, open_lab
from tests.inspector.desk import NEW, desk, recorded
from tests.inspector.siege import Page, Watch, besieged, soon
from tests.lab.replays import brief

SOON_S = 3.0
LONGEST_GAP_S = 10.0  # the server answers at once; a machine that does other things may not
CHOSEN = [attack for attack in ATTACKS[::3] if attack.name != "deep values"]  # Python cannot write them as JSON either
GOOD = {"step": "repeat", "template": "Hello {{ x }}"}


class Siege:
    """The server, its page, the recorded run that is attacked, and the watch."""

    def __init__(self, page: Page, run: str, database: Path) -> None:
        self.page, self.run, self.database = page, run, database
        self.watch = Watch(page)

    def serves(self) -> None:
        """The server does its ordinary work, and was never long in answering."""
        shown = self.page.preview(self.run, GOOD).json()
        assert [piece["text"] for piece in shown["messages"][0]["segments"]] == ["Hello ", "1"]
        assert self.watch.asked > 0 and self.watch.longest_s < LONGEST_GAP_S


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    database = tmp_path_factory.mktemp("siege") / "t.db"
    with open_lab(database) as lab:
        run = lab.run_sync(echo, 1, 2, 3).id
    with besieged(database) as (process, page):
        made = Siege(page, run, database)
        yield made
        made.watch.end()
        assert process.poll() is None, "it rendered a template" if process.poll() == RENDERED else "the server ended"


def edit_of(attack: Attack) -> dict[str, Any]:
    values = {name: value for name, value in attack.values.items() if name in ("x", "name", "base")}
    return {"step": "repeat", "template": attack.template, **({"inputs": values} if values else {})}


def test_sixty_attacks_of_every_kind_are_sent() -> None:
    assert len(CHOSEN) >= 60


@pytest.mark.parametrize("attack", CHOSEN, ids=lambda attack: attack.name)
def test_an_attack_over_http_ends_soon_and_gives_nothing_away(siege: Siege, attack: Attack) -> None:
    edit = edit_of(attack)
    shown = soon(lambda: siege.page.preview(siege.run, edit), SOON_S)
    assert shown.status_code in (200, 400, 413, 422), shown.text[:1000]
    siege.serves()
    told = shown.text + soon(lambda: siege.page.replayed(siege.run, edit), SOON_S)
    assert ENVIRONMENT not in told and CONTENT not in told
    siege.serves()


LOOKED_AT = "work for who only looks at it"
STORED = {
    "work": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    LOOKED_AT: "{{ " + "~".join(["'a'"] * 50_000) + " }}",
    "memory": "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
}


@pytest.mark.parametrize("name", STORED)
def test_a_stored_template_is_no_more_trusted_than_one_that_is_sent(siege: Siege, name: str) -> None:
    with open_lab(siege.database) as lab:
        run = lab.run_sync(echo, name, 2, 3).id
    with sqlite3.connect(siege.database) as connection:  # as it stands in a database that somebody gave away
        ((old,),) = connection.execute(
            "SELECT p.body FROM runs r JOIN specs s ON s.hash = r.spec_hash JOIN payloads p ON p.hash = s.payload_hash"
            " WHERE r.id = ?",
            (run,),
        )
        was = b"Repeat {{ x }}, {{ name }}, {{ base }}."
        assert was in old
        hostile = old.replace(was, STORED[name].encode() + b"{{ x }}{{ name }}{{ base }}")
        connection.execute("UPDATE payloads SET body = ?, size = ? WHERE body = ?", (hostile, len(hostile), old))
    try:
        shown = soon(lambda: siege.page.preview(run, {"step": "repeat", "seed": 1}), SOON_S)
        assert shown.status_code == 200
        assert [one["code"] for one in shown.json()["problems"]] == ["template-limit"], shown.text[:1000]
        told = soon(lambda: siege.page.replayed(run, {"step": "repeat", "seed": 1}), SOON_S)
        assert "template-limit" in told
        asked = {"edits": [{"step": "repeat", "seed": 1}], "runs": [run]}
        for kind in ("backtest", "noise"):
            planned = soon(lambda kind=kind: siege.page.post("batches/preview", asked | {"kind": kind}), SOON_S)  # type: ignore[misc]
            found = [one["code"] for one in planned.json()["problems"]]
            assert found == (["template-limit"] if name == LOOKED_AT else [])  # a plan of a batch renders nothing
    finally:
        with sqlite3.connect(siege.database) as connection:
            connection.execute("UPDATE payloads SET body = ?, size = ? WHERE body = ?", (old, len(old), hostile))
    siege.serves()


async def test_nothing_of_a_page_is_rendered_by_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = recorded(tmp_path / "t.db")

    def render(self: Template, *_: object, **__: object) -> None:
        raise AssertionError(f"rendered here: {self.source}")

    async with desk(tmp_path / "t.db") as at:
        monkeypatch.setattr(Template, "render", render)
        retried = {"step": "critique", "template": "Once more {{ article }}"}
        replies = iter(["no JSON", '{"score": 1, "text": "x"}'])
        at.model.answer = lambda request, said: next(replies)
        assert (await at.preview(run, NEW, step="critique"))["messages"] is not None
        fork = await at.forked(run, retried)  # with a reply that is sent back, by a template of its own
        assert (fork.status, len(at.model.asked)) == ("ok", 2)
        lab = await at.bench.lab()
        with pytest.raises(AssertionError, match="rendered here"):  # an author's own run is seen by this test
            await lab.run(brief, "a letter")
