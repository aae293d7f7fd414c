"""Replays over HTTP: previewed and begun; what is refused, and that one key begins one run."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from chainlab import Lab, ScriptedBackend
from chainlab.config.read import load_config
from chainlab.errors import ConfigError
from chainlab.inspector.workbench import Allowed, Workbench
from tests.inspector.desk import NEW, desk, fresh_key, over, recorded
from tests.inspector.story import write_running
from tests.lab.replays import Model
from tests.patience import turns_until


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


@pytest.fixture
def run(database: Path) -> str:
    return recorded(database)[0]


def said(preview: Any) -> list[tuple[str, str]]:
    return [(step["path"], step["action"]) for step in preview["plan"]["steps"]]


# -- preview -----------------------------------------------------------------------------------------------------------


async def test_a_preview_says_what_would_run_and_shows_the_prompt_and_calls_nothing(database: Path, run: str) -> None:
    async with desk(database) as at:
        shown = await at.preview(run, NEW, step="critique")
        assert at.model.asked == [] and at.runs() == 1
    assert said(shown) == [
        ("extract", "reuse"),
        ("summarise[0]", "reuse"),
        ("summarise[1]", "reuse"),
        ("join", "reuse"),
        ("critique", "execute"),
    ]
    plan = shown["plan"]
    assert (plan["calls"], plan["calls_at_most"], plan["calls_left"], plan["cost_nano"]) == (1, 1, 1000, None)
    assert plan["steps"][0]["origin_run_id"] == run and plan["refused"] is None
    system, user = shown["messages"]
    assert [piece["text"] for piece in system["segments"]] == ["You are strict."]
    assert [(piece["text"], piece["variable"]) for piece in user["segments"]] == [
        ("Be kind about ", None),
        ("<Summarise tea> / <Summarise bread>", "article"),
    ]


async def test_a_preview_of_a_declared_step_shows_its_first_item(database: Path, run: str) -> None:
    async with desk(database) as at:
        edit = {"step": "summarise", "template": "Praise {{ topic }}"}
        shown = await at.preview(run, edit, step="summarise")
        assert shown["messages"][0]["segments"][1] == {"text": "tea", "size": 3, "variable": "topic"}
        assert (await at.preview(run, edit, step="summarise[1]"))["messages"][0]["segments"][1]["text"] == "bread"
        assert (await at.preview(run, edit, step="critique"))["messages"] is None  # what it gets is not known yet
        assert (await at.preview(run, edit))["messages"] is None


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ({"step": "critique", "template": "{{ article"}, "template-syntax"),
        ({"step": "critique", "template": "{% include 'x' %}{{ article }}"}, "template-tag"),
        ({"step": "critique", "template": "{{ artikle }}"}, "template-variable"),
        ({"step": "critique", "template": "{{ article.title }}"}, "template-path"),
        ({"step": "nothing", "template": "x"}, "unknown-step"),
        ({"step": "critique"}, "empty-edit"),
        ({"step": "join", "template": "x"}, "bad-edit"),
        ({"step": "critique", "output": {"score": 99, "text": "x"}}, "wrong-type"),
        ({"step": "critique", "template": "{{ a }}{{ article }}", "bind": {"a": "nothing"}}, "dangling-ref"),
        ({"step": "critique", "template": "x" * 200_001}, "too-long"),
    ],
)
async def test_a_wrong_edit_is_told_beside_it_and_begins_nothing(
    database: Path, run: str, edit: dict[str, Any], code: str
) -> None:
    async with desk(database) as at:
        shown = await at.preview(run, edit)
        assert shown["plan"] is None
        (problem,) = shown["problems"]
        assert problem["code"] == code and problem["message"]
        reply = await at.replay(run, edit)
        assert (reply.status_code, reply.json()["error"]["code"]) == (422, code)
        assert at.runs() == 1 and at.model.asked == []


async def test_all_problems_of_all_templates_are_told_with_their_lines(database: Path, run: str) -> None:
    edits = [
        {"step": "critique", "template": "{{ article }}\n{{ article | nothing }}"},
        {"step": "extract", "template": "{{ text }}{% block a %}{% endblock %}"},
    ]
    async with desk(database) as at:
        problems = (await at.preview(run, *edits))["problems"]
    assert {(one["step"], one["code"], one["line"]) for one in problems} == {
        ("critique", "template-filter", 2),
        ("extract", "template-tag", 1),
    }


async def test_an_unknown_variable_is_offered_to_be_bound_and_then_may_be(database: Path, run: str) -> None:
    edit = {"step": "critique", "template": "{{ article }} on {{ extract }}"}
    async with desk(database) as at:
        (problem,) = (await at.preview(run, edit))["problems"]
        assert problem["remedy"] == "bind it: bind={'extract': 'extract'}, or --bind extract=extract"
        shown = await at.preview(run, edit | {"bind": {"extract": "extract.topics"}}, step="critique")
        assert shown["problems"] == []
        assert shown["messages"][1]["segments"][2] == {"text": '["tea", "bread"]', "size": 16, "variable": "extract"}


async def test_a_value_that_a_template_cannot_print_is_a_problem_of_the_preview(database: Path, run: str) -> None:
    async with desk(database) as at:
        edit = {"step": "critique", "template": "{{ article }}{{ 1 / 0 }}"}
        shown = await at.preview(run, edit, step="critique")
        assert [one["code"] for one in shown["problems"]] == ["template-value"]
        assert shown["plan"]["calls"] == 1 and shown["messages"] is None


async def test_a_long_prompt_is_shown_in_part(database: Path, run: str) -> None:
    async with desk(database) as at:
        edit = {"step": "critique", "template": "{% for i in range(9000) %}{{ article }}{% endfor %}{{ 'x' * 99999 }}"}
        (message,) = (await at.preview(run, edit, step="critique"))["messages"][1:]
    *pieces, rest = message["segments"]
    assert len(pieces) == 2000 and rest["variable"] is None
    assert len(rest["text"]) == 65_536 and rest["size"] == 7000 * len(pieces[0]["text"]) + 99_999


# -- replay ------------------------------------------------------------------------------------------------------------


async def test_a_replay_runs_the_edited_step_as_a_fork_of_the_run(database: Path, run: str) -> None:
    async with desk(database) as at:
        fork = await at.forked(run, NEW)
        assert (fork.status, fork.parent_run_id, fork.kind) == ("ok", run, "replay")
        assert at.model.asked == [("critique", "Be kind about <Summarise tea> / <Summarise bread>")]


async def test_a_replay_is_answered_when_it_has_begun_and_goes_on_after_that(database: Path, run: str) -> None:
    gate = asyncio.Event()

    async def answered(said: str) -> Any:
        await gate.wait()
        return {"score": 5, "text": said}

    model = Model(answer=lambda request, said: answered(said))
    async with desk(database, model) as at:
        reply = await at.replay(run, NEW)
        assert reply.status_code == 202
        begun = reply.json()
        assert begun["new"] and at.run(begun["run_id"]).status == "running"
        assert (await at.get(f"runs/{begun['run_id']}")).status_code == 200
        gate.set()
        assert (await at.end_of(begun["run_id"])).status == "ok"


async def test_the_same_key_begins_one_run(database: Path, run: str) -> None:
    key = fresh_key()
    async with desk(database) as at:
        replies = await asyncio.gather(*(at.replay(run, NEW, key=key) for _ in range(5)))
        replies.append(await at.replay(run, NEW, key=key))
        begun = [reply.json() for reply in replies]
        assert len({one["run_id"] for one in begun}) == 1
        assert sorted(one["new"] for one in begun) == [False] * 5 + [True]
        await at.end_of(begun[0]["run_id"])
        assert at.runs() == 2 and len(at.model.asked) == 1
    async with desk(database) as at:  # the server was started again
        assert (await at.replay(run, NEW, key=key)).json() == {"run_id": begun[0]["run_id"], "new": False}
        assert at.runs() == 2 and at.model.asked == []


async def test_a_key_is_good_for_one_request_only(database: Path) -> None:
    one, other = recorded(database, "a", "b")
    key = fresh_key()
    async with desk(database) as at:
        replies = await asyncio.gather(at.replay(one, NEW, key=key), at.replay(other, NEW, key=key))
        assert sorted(reply.status_code for reply in replies) == [202, 409]
        refused = other if replies[0].status_code == 202 else one
        late = await at.replay(refused, NEW, key=key)
        assert (late.status_code, late.json()["error"]["code"]) == (409, "key_used")


@pytest.mark.parametrize(
    "other",
    [
        ({"step": "critique", "template": "Be hard on {{ article }}"},),
        ({**NEW, "temperature": 0.5},),
        (NEW, {"step": "join", "output": "x"}),
        (),
    ],
)
async def test_a_key_of_a_recorded_run_is_good_for_the_same_edits_only(
    database: Path, run: str, other: tuple[dict[str, Any], ...]
) -> None:
    key = fresh_key()
    async with desk(database) as at:
        begun = (await at.replay(run, NEW, key=key)).json()["run_id"]
        await at.end_of(begun)
    async with desk(database) as at:  # in memory, the whole request is compared
        reply = await at.replay(run, *other, key=key)
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "key_used")
        reply = await at.replay(run, NEW, key=key, scope="step")
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "key_used")
        again = await at.replay(run, {"template": NEW["template"], "step": "critique"}, key=key)
        assert again.json() == {"run_id": begun, "new": False}


async def test_the_answer_does_not_wait_for_the_model_to_be_ready(
    database: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = asyncio.Event()

    async def prepare(self: ScriptedBackend, *args: Any) -> None:
        await ready.wait()

    monkeypatch.setattr(ScriptedBackend, "prepare", prepare)
    async with desk(database) as at:
        fork = (await at.replay(run, NEW)).json()["run_id"]
        assert at.run(fork).status == "running"
        assert at.model.asked == []
        ready.set()
        assert (await at.end_of(fork)).status == "ok"


async def test_a_model_that_cannot_be_made_ready_fails_the_run_and_says_why(
    database: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def prepare(self: ScriptedBackend, *args: Any) -> None:
        raise ConfigError("the weights are not there", code="no-weights", remedy="chainlab models pull")

    monkeypatch.setattr(ScriptedBackend, "prepare", prepare)
    async with desk(database) as at:
        ended = await at.end_of((await at.replay(run, NEW)).json()["run_id"])
        assert (ended.status, ended.error and ended.error.code) == ("failed", "no-weights")
        assert ended.error is not None and "chainlab models pull" in ended.error.message


async def test_two_servers_with_one_key_begin_one_run(database: Path, run: str) -> None:
    key = fresh_key()
    async with desk(database) as one, desk(database) as other:
        replies = await asyncio.gather(one.replay(run, NEW, key=key), other.replay(run, NEW, key=key))
        assert [reply.status_code for reply in replies] == [202, 202]
        (fork,) = {reply.json()["run_id"] for reply in replies}
        assert (await one.end_of(fork)).status == "ok"
        assert len(one.model.asked) + len(other.model.asked) == 1


async def test_a_replay_that_could_not_begin_gives_its_key_and_its_calls_back(database: Path, run: str) -> None:
    key = fresh_key()
    async with desk(database, allowed=Allowed(max_calls=1)) as at:
        assert (await at.replay(run, {"step": "critique", "template": "{{ x }}"}, key=key)).status_code == 422
        assert (await at.preview(run, NEW))["plan"]["calls_left"] == 1
        reply = await at.replay(run, NEW, key=key)
        assert reply.status_code == 202 and reply.json()["new"]


async def test_the_servers_end_cancels_what_runs_and_that_is_written(database: Path, run: str) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    model = Model(answer=lambda request, said: never())
    async with desk(database, model) as at:
        fork = (await at.replay(run, NEW)).json()["run_id"]
        await turns_until(lambda: model.asked, "the call")
    async with desk(database) as at:
        assert at.run(fork).status == "cancelled"
        trace = at.store.reader.trace(fork)
        assert trace is not None and [step.status for step in trace.steps if step.path == "critique"] == ["cancelled"]


# -- refusals ----------------------------------------------------------------------------------------------------------


async def test_a_run_that_is_not_there_is_not_found(database: Path, run: str) -> None:
    async with desk(database) as at:
        for name in ("nothing", "last", run[:8]):  # what a person types means no run here
            for reply in (await at.post(f"runs/{name}/preview", {}), await at.replay(name)):
                assert (reply.status_code, reply.json()["error"]["code"]) == (404, "run-not-found")


async def test_a_run_that_goes_on_is_not_replayed(database: Path, run: str) -> None:
    async with desk(database) as at:
        live = write_running(at.store)
        assert [one["code"] for one in (await at.preview(live))["problems"]] == ["run-live"]
        reply = await at.replay(live)
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "run-live")


async def test_a_model_that_is_not_registered_is_refused_and_the_registered_ones_are_listed(
    database: Path, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chainlab.toml").write_text(
        '[backends.far]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n[models]\nsmall = "far:tiny"\n'
    )
    monkeypatch.chdir(tmp_path)
    assert load_config().root == tmp_path
    bench = Workbench(lambda: Lab.open(database, default_model="small"))
    async with over(database, bench, Model()) as at:
        names = [one["name"] for one in (await at.get("models")).json()]
        assert "small" in names and "embedded" in names and "(default)" not in names and "far:MODEL" not in names
        for name in ("far:tiny", "embedded:/etc/passwd", "http://evil.example", "nothing", "(default)"):
            edit = {"step": "critique", "model": name}
            (problem,) = (await at.preview(run, edit))["problems"]
            assert (problem["code"], problem["got"]) == ("unknown-model", name)
            assert "small" in problem["expected"]
            assert (await at.replay(run, edit)).status_code == 422
        assert (await at.preview(run, {"step": "critique", "model": "small"}))["problems"] == []


async def test_drift_stops_a_replay_and_is_shown(database: Path, run: str) -> None:
    with sqlite3.connect(database) as connection:  # as if an older renderer had made it
        connection.execute("UPDATE steps SET reuse_key = randomblob(20) WHERE path = 'extract'")
    async with desk(database) as at:
        plan = (await at.preview(run, NEW))["plan"]
        assert plan["refused"]["code"] == "drift" and plan["drift"][0]["path"] == "extract"
        reply = await at.replay(run, NEW)
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "drift")
        assert at.runs() == 1
        assert (await at.forked(run, NEW, on_drift="reuse")).status == "ok"


async def test_a_python_step_without_its_module_stops_a_replay(
    database: Path, run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tests.lab.replays")
    async with desk(database) as at:
        edit = {"step": "summarise", "template": "Praise {{ topic }}"}
        assert (await at.preview(run, edit))["plan"]["refused"]["code"] == "no-code"
        reply = await at.replay(run, edit)
        assert (reply.status_code, reply.json()["error"]["code"]) == (409, "no-code")
        assert "not loaded" in reply.json()["error"]["message"]


async def test_more_calls_than_the_server_may_make_are_refused(database: Path, run: str) -> None:
    edit = {"step": "summarise", "template": "Praise {{ topic }}"}  # two items, and the critique of them
    async with desk(database, allowed=Allowed(max_calls=4)) as at:
        assert (await at.forked(run, edit)).status == "ok"
        assert (await at.preview(run, edit))["plan"]["calls_left"] == 1
        reply = await at.replay(run, edit)
        assert (reply.status_code, reply.json()["error"]["code"]) == (429, "budget")
        assert (await at.forked(run, NEW)).status == "ok"
        assert (await at.replay(run, NEW)).status_code == 429
        assert len(at.model.asked) == 4


async def test_a_run_that_makes_more_calls_than_was_foreseen_is_ended(database: Path, run: str) -> None:
    model = Model(topics=[f"topic {i}" for i in range(50)])  # two, when it was recorded
    async with desk(database, model, Allowed(max_calls=5)) as at:
        fork = await at.forked(run, {"step": "extract", "template": "All topics of {{ text }}"})
        assert fork.status == "cancelled"
        assert (await at.preview(run, NEW))["plan"]["calls_left"] == 0


async def test_calls_that_were_not_needed_are_given_back(database: Path, run: str) -> None:
    async with desk(database, Model(fails={"Praise"}), Allowed(max_calls=5)) as at:
        fork = await at.forked(run, {"step": "summarise", "template": "Praise {{ topic }}"})
        assert fork.status == "failed" and len(at.model.asked) == 2
        assert (await at.preview(run, NEW))["plan"]["calls_left"] == 3


async def test_a_server_that_only_shows_changes_nothing(database: Path, run: str) -> None:
    async with desk(database, allowed=Allowed(replay=False)) as at:
        assert not (await at.get("health")).json()["replays"]
        replies = [await at.post(f"runs/{run}/preview", {}), await at.replay(run), await at.get("models")]
        assert {(reply.status_code, reply.json()["error"]["code"]) for reply in replies} == {(403, "read_only")}
        assert (await at.get(f"runs/{run}")).status_code == 200
        assert at.runs() == 1


async def test_what_the_page_may_not_say_is_refused(database: Path, run: str) -> None:
    wrong: list[Any] = [
        {"file": "x"},
        {"edits": [{"step": "critique", "code": "x"}]},
        {"edits": [{"step": "critique", "template": {"path": "/etc/passwd"}}]},
        {"scope": "everything"},
        {"on_drift": "ignore"},
        {"edits": [{"step": "critique", "temperature": -1}]},
        {"edits": [NEW] * 51},
        {"idempotency_key": "short"},
        {"idempotency_key": "../../../../etc/passwd"},
        [],
        "text",
    ]
    async with desk(database) as at:
        for body in wrong:
            sent = {"idempotency_key": fresh_key(), **body} if isinstance(body, dict) else body
            reply = await at.post(f"runs/{run}/replay", sent)
            assert (reply.status_code, reply.json()["error"]["code"]) == (422, "invalid_request"), body
        assert at.runs() == 1


ODD = [
    (b"", 422),
    (b"{", 422),
    (b"null", 422),
    (b"\xff\xfe", 422),
    (b"[" * 100_000, 400),
    (b'{"edits": [{"step": "critique", "seed": ' + b"9" * 5000 + b"}]}", 400),
    (b'{"edits": [{"step": "critique", "template": "\\ud800{{ article }}"}], "step": "critique"}', 200),
    (b'{"edits": [{"step": "critique", "temperature": 1e999}]}', 422),
    (b'{"edits": [{"step": "critique", "temperature": NaN}]}', 422),
    (b'{"edits": [{"step": "critique", "output": ' + b"[" * 900 + b"]" * 900 + b"}]}", 200),
    (b'{"edits": [{"step": "critique", "output": ' + b"1" * 4000 + b"}]}", 200),
    (b'{"edits": [{"step": "critique", "output": NaN}]}', 200),
    (b'{"edits": [], "edits": [1]}', 422),
    (b'{"' + b"x" * 100_000 + b'": 1}', 422),
]


async def test_an_odd_body_is_answered_and_breaks_nothing(database: Path, run: str) -> None:
    async with desk(database) as at:
        headers = {"origin": str(at.page.base_url), "x-chainlab-csrf": at.csrf, "content-type": "application/json"}
        for sent, status in ODD:
            reply = await at.page.post(f"/api/runs/{run}/preview", content=sent, headers=headers)
            assert reply.status_code == status, (sent[:100], reply.text[:500])
            assert len(reply.content) < 20_000
            assert (await at.preview(run, NEW))["problems"] == []


@pytest.mark.parametrize("told", [True, False])
async def test_a_body_over_the_limit_is_refused(database: Path, run: str, told: bool) -> None:
    body = b'{"edits": [{"step": "critique", "template": "' + b"x" * 5_000_000 + b'"}]}'

    async def pieces() -> Any:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    async with desk(database) as at:
        headers = {"origin": str(at.page.base_url), "x-chainlab-csrf": at.csrf, "content-type": "application/json"}
        content: Any = body if told else pieces()
        reply = await at.page.post(f"/api/runs/{run}/preview", content=content, headers=headers)
        assert (reply.status_code, reply.json()["error"]["code"]) == (413, "too_large")


async def test_an_error_tells_no_path_of_the_machine_and_no_secret(
    database: Path, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chainlab.toml").write_text(
        '[backends.far]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\napi_key_env = "FAR_KEY"\n'
        '[models]\ngone = "embedded:gone.gguf"\nsmall = "far:tiny"\n'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAR_KEY", "the-canary-of-a-key")
    bench = Workbench(lambda: Lab.open(database, default_model="gone"))
    async with over(database, bench, Model()) as at:
        replies = [
            await at.post(f"runs/{run}/preview", {"edits": [{"step": "critique", "model": "gone"}]}),
            await at.replay(run, {"step": "critique", "model": "gone"}, on_drift="reuse"),
            await at.post(f"runs/{run}/preview", {"edits": [{"step": "critique", "model": "the-canary-of-a-key"}]}),
            await at.post(f"runs/{run}/preview", {"edits": [NEW], "step": "critique"}),
        ]
        assert "gone.gguf" in "".join(reply.text for reply in replies)
        for reply in replies:
            assert str(tmp_path) not in reply.text and str(Path.home()) not in reply.text, reply.text
            assert "the-canary-of-a-key" not in reply.text


async def test_a_lab_that_cannot_be_opened_is_said_and_traces_can_be_read(
    database: Path, run: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chainlab.toml").write_text("[models]\nsmall = 1\n")
    monkeypatch.chdir(tmp_path)
    async with over(database, Workbench(lambda: Lab.open(database)), Model()) as at:
        reply = await at.get("models")
        assert reply.status_code == 422 and str(tmp_path) not in reply.text
        assert (await at.preview(run, NEW))["problems"][0]["code"] == reply.json()["error"]["code"]
        assert (await at.replay(run, NEW)).status_code == 422
        assert (await at.get(f"runs/{run}")).status_code == 200


async def test_a_backend_that_breaks_while_it_is_made_ready_fails_the_run(database: Path, run: str) -> None:
    class Broken(ScriptedBackend):
        async def prepare(self, model: Any, report: Any) -> None:
            raise OSError("no weights")

    model = Model()
    bench = Workbench(lambda: Lab.open(database, default_model=Broken(model.reply)))
    async with over(database, bench, model) as at:
        ended = await at.end_of((await at.replay(run, NEW)).json()["run_id"])
        assert (ended.status, ended.error and ended.error.code) == ("failed", "backend-error")
        await turns_until(lambda: bench.budget.left == 1000, "the calls given back")  # just after the run's end is seen
