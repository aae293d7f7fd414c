"""What a replay finds around it: drift of every kind, effects, functions that are or are not there, validators."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, field_validator

from chainlab import Edit, Lab, ReplayError, Run, ScriptedBackend, chain, fill, plan, prompt, step
from chainlab.lab.replaying import ReadyReplay
from chainlab.replay import drift
from tests.cli.stub import Stub, serving
from tests.lab.replays import Bench, Model, statuses

SOURCE = """
from chainlab import chain, fill, prompt, step

@prompt("First {{ text }}", model="wise")
def first(text: str) -> str:
    return fill()

@step
def shout(text: str) -> str:
    return text.upper()

@prompt("Last {{ text }}")
def last(text: str) -> str:
    return fill()

@chain
def letter(text: str) -> str:
    return last(shout(first(text)))
"""
EDIT = Edit(step="last", template="End {{ text }}")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    model = Model()
    with model.open(tmp_path / "t.db") as lab:
        yield Bench(lab, model)


class Author:
    """Somebody who changes a file. Every version is loaded as the same module, as a new process would."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._versions = folder, 0

    def write(self, *changes: tuple[str, str], source: str = SOURCE) -> ModuleType:
        """Load the file as it is after changes to its first version."""
        for old, new in changes:
            assert old in source
            source = source.replace(old, new)
        self._versions += 1
        file = self._folder / f"{self._versions}" / "letters.py"
        file.parent.mkdir()
        file.write_text(source)
        spec = importlib.util.spec_from_file_location("letters", file)
        assert spec is not None and spec.loader is not None
        module = sys.modules["letters"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def leave(self) -> None:
        """The file is loaded no more."""
        sys.modules.pop("letters", None)


@pytest.fixture
def author(tmp_path: Path) -> Iterator[Author]:
    found = Author(tmp_path)
    yield found
    found.leave()


def refused(bench: Bench, run: Run[Any], *edits: Edit, **how: Any) -> ReadyReplay:
    """A replay that is planned and refused, the same way twice, with nothing called and nothing written."""
    before = bench.count()
    ready = bench.lab.plan_replay(run, edits=list(edits), **how)
    assert ready.refused is not None
    with pytest.raises(ReplayError) as caught:
        bench.lab.replay_sync(run, edits=list(edits), **how)
    assert (caught.value.code, caught.value.path) == (ready.refused.code, ready.refused.path)
    assert len(str(caught.value).splitlines()) <= 10
    assert (bench.count(), bench.model.take()) == (before, [])
    return ready


def kinds(ready: ReadyReplay) -> dict[str, list[str]]:
    """What drifted, and how."""
    return {one.path: list(one.kinds) for one in ready.plan.drift}


# -- drift ------------------------------------------------------------------------------------------------------------

# What the author changed; what has drifted; what runs again with on_drift="rerun".
DRIFTS: dict[str, tuple[tuple[tuple[str, str], ...], dict[str, list[str]], list[str]]] = {
    "a template": ((("First {{", "Begin {{"),), {"first": ["definition"]}, ["first", "last"]),
    "a temperature": (
        (('"wise"', '"wise", temperature=0.5'),), {"first": ["definition"]}, ["first", "last"]
    ),
    "a model": ((('model="wise"', 'model="odd"'),), {"first": ["model"]}, ["first", "last"]),
    "a function": ((("text.upper()", "text.title()"),), {"shout": ["code"]}, ["last"]),
    "a function's types": (
        (("def shout(text: str) -> str", "def shout(text: object) -> str"), ("text.upper()", "str(text).upper()")),
        {"shout": ["code", "schema"]},
        ["last"],
    ),
    "a reply's type": ((("def first(text: str) -> str", "def first(text: str) -> str | int"),
                        ("def shout(text: str)", "def shout(text: str | int)"),
                        ("text.upper()", "str(text).upper()")),
                       {"first": ["schema"]}, ["first", "last"]),
}  # fmt: skip


@pytest.mark.parametrize("case", DRIFTS, ids=str)
def test_a_step_that_is_not_what_was_recorded_stops_a_replay_and_is_named(
    bench: Bench, author: Author, case: str
) -> None:
    changes, drifted, calls = DRIFTS[case]
    run = bench.run(author.write().letter, "x")
    now = author.write(*changes).letter
    ready = refused(bench, run, EDIT, chain=now)
    assert ready.refused is not None and ready.refused.code == "drift"
    assert drifted.items() <= kinds(ready).items()
    assert ready.refused.path == next(iter(drifted))
    fork, called = bench.fork(run, EDIT, chain=now, on_drift="reuse")
    assert (fork.status, called) == ("ok", ["last"])
    assert fork.output == "<End <FIRST X>>"
    fork, called = bench.fork(run, EDIT, chain=now, on_drift="rerun")
    assert (fork.status, called) == ("ok", calls)


def test_what_was_reused_in_spite_of_drift_is_still_drift_the_next_time(bench: Bench, author: Author) -> None:
    run = bench.run(author.write().letter, "x")
    now = author.write(("First {{", "Begin {{")).letter
    fork, _ = bench.fork(run, EDIT, chain=now, on_drift="reuse")
    assert fork.output == "<End <FIRST X>>"
    assert kinds(refused(bench, fork)) == {"first": ["definition"]}


def test_a_changed_function_is_seen_without_giving_the_chain(bench: Bench, author: Author) -> None:
    run = bench.run(author.write().letter, "x")
    author.write(("text.upper()", "text.title()"))
    ready = refused(bench, run, EDIT)
    assert kinds(ready) == {"shout": ["code"]}
    assert "'reuse' takes what was recorded" in str(ready.refused)
    assert bench.fork(run, EDIT, on_drift="reuse")[0].output == "<End <FIRST X>>"
    assert bench.fork(run, EDIT, on_drift="rerun")[0].output == "<End <First X>>"


def test_a_changed_function_that_would_run_is_not_run_unasked(bench: Bench, author: Author) -> None:
    run = bench.run(author.write().letter, "x")
    author.write(("text.upper()", "text.title()"))
    first = Edit(step="first", template="Begin {{ text }}")
    for on_drift in ("refuse", "reuse"):
        ready = refused(bench, run, first, on_drift=on_drift)
        assert kinds(ready) == {"shout": ["code"]}
        assert "'reuse' takes" not in str(ready.refused)  # that would not help
    assert bench.fork(run, first, on_drift="rerun")[0].output == "<Last <Begin X>>"


def test_layout_and_comments_of_a_function_are_no_drift(bench: Bench, author: Author) -> None:
    run = bench.run(author.write().letter, "x")
    now = author.write(("    return text.upper()", "    # loud\n\n    return (text.upper())"))
    assert bench.fork(run, EDIT, chain=now.letter)[1] == ["last"]


def test_names_retries_and_tags_are_no_drift(bench: Bench, author: Author) -> None:
    run = bench.run(author.write().letter, "x")
    now = author.write(
        ("def first", "def opening"), ("shout(first(", "shout(opening("), ('"wise"', '"wise", retries=3')
    )
    fork, called = bench.fork(run, EDIT, chain=now.letter)
    assert called == ["last"]
    assert bench.origins(fork)["opening"] == (run.id, "first")


def test_a_step_that_is_new_in_the_authors_chain_is_missing_in_the_record(bench: Bench, author: Author) -> None:
    run = bench.run(author.write().letter, "x")
    now = author.write(("last(shout(first(text)))", "last(shout(first(first(text))))")).letter
    ready = refused(bench, run, EDIT, chain=now)
    assert kinds(ready)["first~2"] == ["missing"]
    fork, called = bench.fork(run, EDIT, chain=now, on_drift="rerun")
    assert called == ["first~2", "last"]


def test_a_step_that_the_author_has_removed_is_told_and_stops_nothing(bench: Bench, author: Author) -> None:
    run = bench.run(author.write().letter, "x")
    now = author.write(("last(shout(first(text)))", "shout(first(text))")).letter
    ready = bench.lab.plan_replay(run, chain=now)
    assert [(one.path, one.kinds, one.blocks) for one in ready.plan.drift] == [("last", ("missing",), False)]
    assert bench.fork(run, chain=now)[0].output == "<FIRST X>"


def test_newer_rules_of_templates_are_named_as_such(
    bench: Bench, author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = bench.run(author.write().letter, "x")
    monkeypatch.setattr(plan.definition_hash, "__defaults__", ("newer-rules",))
    monkeypatch.setattr(drift, "RENDERERS_BEFORE", (plan.RENDERER,))
    assert kinds(refused(bench, run, EDIT)) == {"first": ["renderer"]}


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as found:
        yield found


def serve(folder: Path, stub: Stub) -> Lab:
    """A lab whose default model is served over HTTP."""
    (folder / "chainlab.toml").write_text(
        f'default_model = "stub:words"\n[models]\nwise = "stub:words"\nodd = "stub:words+tone"\n'
        f'[backends.stub]\nkind = "openai"\nbase_url = "{stub.url}"\n'
    )
    return Lab.open(folder / "served.db")


def test_a_hosted_model_that_may_have_changed_is_told_and_stops_nothing(
    tmp_path: Path, author: Author, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with serve(tmp_path, stub) as lab:
        run = lab.run_sync(author.write().letter, "x")
        calls = stub.calls
        ready = lab.plan_replay(run, edits=[EDIT])
        assert (ready.plan.unverifiable, ready.plan.drift, ready.refused) == (("first",), (), None)
        assert lab.replay_sync(run, edits=[EDIT]).status == "ok"
        assert stub.calls == calls + 1


def test_another_adapter_and_another_server_are_drift(
    tmp_path: Path, author: Author, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with serve(tmp_path, stub) as lab:
        run = lab.run_sync(author.write().letter, "x")
        tuned = author.write(('"wise"', '"odd"')).letter
        assert kinds(lab.plan_replay(run, edits=[EDIT], chain=tuned)) == {"first": ["adapter"]}
    with serving() as other, serve(tmp_path, other) as lab:
        author.write()
        with pytest.raises(ReplayError) as caught:
            lab.replay_sync(run.id, edits=[EDIT])
        assert caught.value.message == "first: model changed: not what stood behind 'wise' then"
        assert other.calls == 0


# -- effects ----------------------------------------------------------------------------------------------------------

sent: list[str] = []


@prompt("Write to {{ who }}")
def write(who: str) -> str:
    return fill()


@step(effects="none")
def trim(letter: str) -> str:
    return letter.strip("<>")


@step(effects="ask")
def send(letter: str) -> str:
    sent.append(letter)
    return f"sent {letter}"


@step(effects="never")
def pay(receipt: str) -> str:
    sent.append("paid")
    return f"paid for {receipt}"


@prompt("File {{ receipt }}")
def file(receipt: str) -> str:
    return fill()


@chain
def post(who: str) -> str:
    return file(send(trim(write(who))))


@chain
def shop(who: str) -> str:
    return file(pay(trim(write(who))))


@pytest.fixture
def outbox() -> Iterator[list[str]]:
    sent.clear()
    yield sent


NEWLY = Edit(step="write", template="Write kindly to {{ who }}")


def test_what_has_effects_is_reused_without_asking(bench: Bench, outbox: list[str]) -> None:
    run = bench.run(post, "Ada")
    _, calls = bench.fork(run, Edit(step="file", template="Keep {{ receipt }}"))
    assert (calls, outbox) == (["file"], ["Write to Ada"])


def test_effects_that_ask_stop_a_replay_until_it_says_what_to_do(bench: Bench, outbox: list[str]) -> None:
    run = bench.run(post, "Ada")
    ready = refused(bench, run, NEWLY)
    assert ready.refused is not None
    assert (ready.refused.code, ready.refused.path) == ("effects", "send")
    assert outbox == ["Write to Ada"]
    fork, calls = bench.fork(run, NEWLY, on_effects="skip")
    assert (calls, outbox) == (["write"], ["Write to Ada"])
    assert statuses(fork, "skipped") == {"send": "skipped", "file": "skipped"}
    fork, calls = bench.fork(run, NEWLY, on_effects="run")
    assert (calls, outbox) == (["write", "file"], ["Write to Ada", "Write kindly to Ada"])


def test_effects_that_are_never_repeated_are_left_out_and_may_be_set_by_hand(bench: Bench, outbox: list[str]) -> None:
    run = bench.run(shop, "Ada")
    fork, calls = bench.fork(run, NEWLY, on_effects="run")
    assert (calls, outbox) == (["write"], ["paid"])
    assert (fork.status, fork.steps["pay"].status) == ("ok", "skipped")
    error = fork.steps["pay"].error
    assert error is not None and error.code == "has-effects" and "set its output by hand" in error.remedy
    fork, calls = bench.fork(run, NEWLY, Edit(step="pay", output="paid by hand"))
    assert (calls, outbox) == (["write", "file"], ["paid"])
    assert fork.output == "<File paid by hand>"
    plan = bench.lab.plan_replay(run, edits=[Edit(step="pay", inputs={"receipt": "x"})]).plan
    assert plan.notes == ("pay: the edited step does not run: its effects are not repeated",)


# -- functions that are there, and functions that are not -------------------------------------------------------------


def test_a_python_step_upstream_needs_no_code(bench: Bench, author: Author) -> None:
    run = bench.run(author.write().letter, "x")
    author.leave()
    fork, calls = bench.fork(run, EDIT)
    assert (calls, fork.output) == (["last"], "<End <FIRST X>>")


def test_a_python_step_that_has_to_run_is_refused_until_its_module_is_there(bench: Bench, author: Author) -> None:
    run = bench.run(author.write().letter, "x")
    first = Edit(step="first", template="Begin {{ text }}")
    author.leave()
    ready = refused(bench, run, first)
    assert ready.refused is not None
    assert (ready.refused.code, ready.refused.path) == ("no-code", "shout")
    assert "module 'letters' is not loaded" in ready.refused.message
    assert "letters.py, or import it before lab.replay" in ready.refused.remedy
    author.write()
    assert bench.fork(run, first)[0].output == "<Last <BEGIN X>>"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ((("def shout", "def whisper"), ("shout(", "whisper(")), "module 'letters' has no 'shout'"),
        ((("@step\ndef shout", "def shout"), ("last(shout(first(text)))", "last(first(text))")), "shout is no @step"),
    ],
    ids=["renamed", "no step any more"],
)
def test_a_function_that_is_not_what_it_was_is_named(
    bench: Bench, author: Author, changes: tuple[tuple[str, str], ...], why: str
) -> None:
    run = bench.run(author.write().letter, "x")
    author.write(*changes)
    ready = refused(bench, run, Edit(step="first", seed=1))
    assert ready.refused is not None and why in ready.refused.message


def test_a_function_inside_a_function_is_never_found_again_and_says_so(bench: Bench) -> None:
    @step
    def local(text: str) -> str:
        return text + "!"

    @chain
    def letter(text: str) -> str:
        return local(write(text))

    run = bench.run(letter, "Ada")
    ready = refused(bench, run, NEWLY)
    assert ready.refused is not None
    assert ready.refused.message.endswith("its function is not at hand: it is defined inside a function")
    assert "lab.replay(run, chain=...)" in ready.refused.remedy
    fork, _ = bench.fork(run, NEWLY, chain=letter)
    assert fork.output == "<Write kindly to Ada>!"


MAIN = (
    SOURCE
    + """
if __name__ == "__main__":
    import sys
    from chainlab import Lab, ScriptedBackend
    with Lab.open(sys.argv[1], default_model=ScriptedBackend(lambda r: f"<{r.messages[-1]['content']}>")):
        letter.run_sync("x")
"""
)


def elsewhere(database: Path, *command: str) -> None:
    """A run of another process."""
    done = subprocess.run([sys.executable, *command, str(database)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_function_of_main_is_never_found_again_and_says_so(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "letters.py").write_text(MAIN)
    elsewhere(bench.lab.store.path, str(tmp_path / "letters.py"))
    run = bench.lab.get("last")
    ready = refused(bench, run, Edit(step="first", seed=1))
    assert ready.refused is not None and "it is defined in __main__" in ready.refused.message
    assert bench.fork(run, EDIT)[0].output == "<End <FIRST X>>"  # upstream it needs no code


def test_a_run_of_one_process_is_replayed_by_another_that_has_not_its_code(
    bench: Bench, author: Author, tmp_path: Path
) -> None:
    (tmp_path / "letters.py").write_text(SOURCE)
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); " + (
        "from chainlab import Lab, ScriptedBackend; import letters; "
        "lab = Lab.open(sys.argv[1], default_model=ScriptedBackend(lambda r: f\"<{r.messages[-1]['content']}>\")); "
        "lab.run_sync(letters.letter, 'x'); lab.close()"
    )
    elsewhere(bench.lab.store.path, "-c", script)
    run = bench.lab.get("last")
    assert "letters" not in sys.modules
    assert bench.fork(run, EDIT)[0].output == "<End <FIRST X>>"
    first = Edit(step="first", template="Begin {{ text }}")
    ready = refused(bench, run, first)
    assert ready.refused is not None and ready.refused.code == "no-code"
    author.write()
    assert bench.fork(run, first)[0].output == "<Last <BEGIN X>>"


def test_a_function_that_may_have_to_run_is_asked_for_before_anything_runs(bench: Bench, author: Author) -> None:
    run = bench.run(author.write().letter, "x")
    author.leave()
    ready = refused(bench, run, Edit(step="first", seed=1), scope="changed")
    assert ready.refused is not None and ready.refused.code == "no-code"


# -- validators -------------------------------------------------------------------------------------------------------


class Small(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def small(cls, value: int) -> int:
        if value > 5:
            raise ValueError("must be at most 5")
        return value


@prompt("{{ text }}", retries=0)
def number(text: str) -> Small:
    return fill()


def test_validators_that_are_not_loaded_are_noted_and_the_schema_still_judges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply: dict[str, Any] = {"number": 3}
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda request: dict(reply))) as lab:
        run = lab.run_sync(number, "x")
        edit = [Edit(step="number", template="again {{ text }}")]
        assert lab.plan_replay(run, edits=edit).plan.notes == ()
        reply["number"] = 9
        fork = lab.replay_sync(run, edits=edit)
        assert fork.failure is not None and "must be at most 5" in fork.failure.error.message
        monkeypatch.delitem(sys.modules, __name__)
        (note,) = lab.plan_replay(run.id, edits=edit).plan.notes
        assert "validators in Python" in note and f"{__name__}:number" in note
        assert lab.replay_sync(run.id, edits=edit).output == {"number": 9}
        reply["number"] = "nine"
        fork = lab.replay_sync(run.id, edits=edit)
        assert fork.failure is not None and fork.failure.error.code == "output-invalid"


VALIDATED = """
from pydantic import BaseModel, field_validator
from chainlab import fill, prompt

class Small(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def small(cls, value: int) -> int:
        assert value <= 5
        return value

@prompt("{{ text }}", retries=0)
def number(text: str) -> Small:
    return fill()
"""


def test_validators_of_another_type_than_the_recorded_one_do_not_judge(tmp_path: Path, author: Author) -> None:
    reply = {"number": 3}
    with Lab.open(tmp_path / "t.db", default_model=ScriptedBackend(lambda request: dict(reply))) as lab:
        run = lab.run_sync(author.write(source=VALIDATED).number, "x")
        author.write(("    number: int", "    number: int\n    more: int = 0"), source=VALIDATED)
        reply["number"] = 9
        edit = [Edit(step="number", seed=1)]
        assert len(lab.plan_replay(run.id, edits=edit).plan.notes) == 1
        assert lab.replay_sync(run.id, edits=edit).output == {"number": 9}
