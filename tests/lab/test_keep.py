"""Keeping a fork: real files, real runs and forks, patches that make the author's chain the fork's chain."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chainlab import Edit, Lab, PatchError, Request, Run, ScriptedBackend, StoreError
from chainlab.lab.keeping import KeepPlan
from chainlab.source.apply import apply_patches
from chainlab.store.delete import delete_runs
from tests.source.author import HEAD, check_diff, declare

BRIEF = '''
@prompt("Outline {{ text }}", model="small")
def outline(text: str) -> str: return fill()

def made_in_a_function():
    @prompt(
        """
        Say something about {{ topic }}.
        Keep to: {{ plan }}
        """,
        system="You are short.",
        temperature=0.5,
    )
    def note(topic: str, plan: str) -> str: return fill()
    return note

note = made_in_a_function()

@prompt(file="draft.j2")
def draft(notes: list[str]) -> str: return fill()

CRITIQUE = "Criticise: {{ article }}"

@prompt(CRITIQUE)
def critique(article: str) -> str: return fill()

TONE = "kind"

@prompt(f"Be {TONE}: {{{{ article }}}}")
def soften(article: str) -> str: return fill()

@chain
def brief(text: str, topics: list[str]) -> str:
    plan = outline(text)
    notes = each(topics, lambda topic: note(topic, plan))
    return soften(critique(draft(notes)))
'''

TEXTS = {
    "outline": 'Outline, in "three" points: {{ text }}',
    "note": "\nSay a lot about {{ topic }}.\n\nFirst of all: {{ plan }}\n",
    "draft": "Write:\n{% for n in notes %}* {{ n }}\n{% endfor %}The end.\n",
    "critique": "Criticise, line by line:\n{{ article }}",
}
FILES = {"outline": "chains.py", "note": "chains.py", "draft": "draft.j2", "critique": "chains.py"}

AGAIN = """
import json, sys
import chains
from chainlab import Lab, ScriptedBackend

backend = ScriptedBackend(lambda request: RuntimeError("nothing should be asked"))
with Lab.open("traces.db", default_model=backend) as lab:
    again = lab.replay_sync(sys.argv[1], chain=chains.brief)
    fork = lab.reader.trace(sys.argv[1]).run
    statuses = sorted({step.status for step in again.steps.values() if step.kind == "prompt"})
    same = fork.spec_hash == chains.brief.spec.hash.hex()
    print(json.dumps([again.status, len(backend.requests), statuses, same]))
"""


def reply(request: Request) -> str:
    return f"[{request.step}: {len(request.messages[-1]['content'])}]"


@dataclass
class Author:
    """A project with a chain that ran once; `lab` is open on its traces."""

    root: Path
    lab: Lab
    module: ModuleType
    run: Run[Any]

    def fork(self, *edits: Edit, of: Run[Any] | None = None, **how: Any) -> Run[Any]:
        return self.lab.replay_sync(of or self.run, edits=edits, **how)

    def text(self, file: str = "chains.py") -> str:
        return (self.root / file).read_text()

    def rewrite(self, old: str, new: str) -> ModuleType:
        """Change the author's file, and declare it again."""
        assert self.text().count(old) == 1
        (self.root / "chains.py").write_text(self.text().replace(old, new))
        self.module = declare(self.root / "chains.py")
        return self.module

    def again_elsewhere(self, fork: Run[Any]) -> list[Any]:
        """Replay a fork with the chain of the files, in a process that imports them: status, calls, what became of
        its prompts, and whether both chains are one."""
        done = subprocess.run(
            [sys.executable, "-c", AGAIN, fork.id], cwd=self.root, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        found: list[Any] = json.loads(done.stdout)
        return found


@pytest.fixture
def author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Author]:
    (tmp_path / "chainlab.toml").write_text("")
    (tmp_path / "chains.py").write_text(HEAD + BRIEF)
    (tmp_path / "draft.j2").write_text("Write:\n{% for n in notes %}{{ n }}\n{% endfor %}")
    monkeypatch.chdir(tmp_path)
    module = declare(tmp_path / "chains.py")
    with Lab.open("traces.db", default_model=ScriptedBackend(reply)) as lab:
        yield Author(tmp_path, lab, module, module.brief.run_sync(text="tea", topics=["leaf", "pot"]))


def codes(plan: KeepPlan) -> list[tuple[str, str]]:
    """What cannot be patched, by step."""
    return [(problem.path, problem.error.code) for problem in plan.problems]


def kept_at(author: Author, run: Run[Any]) -> int | None:
    trace = author.lab.reader.trace(run.id)
    assert trace is not None
    return trace.run.kept_at


# -- patches ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", TEXTS)
def test_a_kept_text_makes_the_source_the_forks_chain(author: Author, step: str, tmp_path: Path) -> None:
    fork = author.fork(Edit(step=step, template=TEXTS[step]))
    before = {file: author.text(file) for file in ("chains.py", "draft.j2")}
    plan = author.lab.keep(fork, apply=True)
    assert plan.applied == (FILES[step],)
    assert [patch.file for patch in plan.patches] == [FILES[step]]
    assert (plan.problems, plan.advice, plan.notes) == ((), (), ())
    changed = [file for file in before if author.text(file) != before[file]]
    assert changed == [FILES[step]]
    check_diff(plan.patches[0], tmp_path / "diffs")
    assert author.again_elsewhere(fork) == ["ok", 0, ["reused"], True]


def test_all_edits_of_a_fork_are_one_patch_per_file(author: Author) -> None:
    fork = author.fork(*(Edit(step=step, template=text) for step, text in TEXTS.items()))
    plan = author.lab.keep(fork, apply=True)
    assert sorted(plan.applied) == ["chains.py", "draft.j2"]
    assert author.again_elsewhere(fork) == ["ok", 0, ["reused"], True]


def test_before_it_is_applied_the_chain_of_the_files_is_another(author: Author) -> None:
    fork = author.fork(Edit(step="outline", template=TEXTS["outline"]))
    refused = author.lab.plan_replay(fork, chain=author.module.brief).refused
    assert refused is not None and "outline: definition changed" in refused.message


def test_keeping_without_applying_writes_no_file_and_gives_the_diff(author: Author) -> None:
    fork = author.fork(Edit(step="outline", template=TEXTS["outline"]))
    plan = author.lab.keep(fork)
    assert author.text() == HEAD + BRIEF
    assert '-@prompt("Outline {{ text }}", model="small")\n' in plan.patches[0].diff
    assert plan.applied == () and plan.kept_at == kept_at(author, fork) is not None


def test_planning_marks_nothing(author: Author) -> None:
    fork = author.fork(Edit(step="outline", template=TEXTS["outline"]))
    plan = author.lab.plan_keep(fork.id)
    assert len(plan.patches) == 1 and plan.kept_at is None and kept_at(author, fork) is None


def test_a_text_that_changed_since_is_not_patched_and_given_to_copy(author: Author) -> None:
    fork = author.fork(Edit(step="outline", template=TEXTS["outline"]))
    author.rewrite("Outline {{ text }}", "Outline all of {{ text }}")
    before = author.text()
    plan = author.lab.keep(fork, apply=True)
    assert codes(plan) == [("outline", "patch-changed")]
    assert (plan.problems[0].text, plan.patches, plan.applied) == (TEXTS["outline"], (), ())
    assert author.text() == before


def test_a_computed_text_is_not_patched_and_the_others_are(author: Author) -> None:
    fork = author.fork(
        Edit(step="soften", template="Be very kind: {{ article }}"),
        Edit(step="outline", template=TEXTS["outline"]),
    )
    plan = author.lab.keep(fork, apply=True)
    assert codes(plan) == [("soften", "patch-computed")]
    assert plan.problems[0].text == "Be very kind: {{ article }}"
    assert author.text() == (HEAD + BRIEF).replace('"Outline {{ text }}"', "'" + TEXTS["outline"] + "'")


def test_what_else_the_code_needs_is_said_at_its_line(author: Author) -> None:
    fork = author.fork(
        Edit(step="note", template="{{ topic }} of {{ whole }}: {{ plan }}", bind={"whole": "text"}, temperature=0.1)
    )
    plan = author.lab.plan_keep(fork)
    lines = (HEAD + BRIEF).splitlines()
    said = {advice.what: lines[int(advice.where.partition(":")[2]) - 1].strip() for advice in plan.advice}
    assert said == {
        "write temperature=0.1 instead of temperature=0.5 in the decorator of note, or in the .with_(...) that sets"
        " it": "temperature=0.5,",
        "parameters of note: add whole: str: def note(topic: str, plan: str, whole: str) -> str": (
            "def note(topic: str, plan: str) -> str: return fill()"
        ),
        "call note with whole=text": "notes = each(topics, lambda topic: note(topic, plan))",
    }


# -- the lineage ------------------------------------------------------------------------------------------------------


def test_a_fork_of_a_fork_is_kept_with_the_edits_of_both(author: Author) -> None:
    first = author.fork(
        Edit(step="outline", template="First try: {{ text }}"), Edit(step="draft", template=TEXTS["draft"])
    )
    second = author.fork(Edit(step="outline", template=TEXTS["outline"]), of=first)
    plan = author.lab.keep(second, apply=True)
    assert sorted(plan.applied) == ["chains.py", "draft.j2"]
    assert "First try" not in plan.patches[0].diff
    assert author.again_elsewhere(second) == ["ok", 0, ["reused"], True]
    assert kept_at(author, first) is None


def test_an_edit_that_was_taken_back_leaves_nothing_to_keep(author: Author) -> None:
    first = author.fork(Edit(step="outline", template="First try: {{ text }}"))
    back = author.fork(Edit(step="outline", template="Outline {{ text }}"), of=first)
    assert author.lab.plan_keep(back).empty


def test_a_fork_with_the_authors_chain_of_now_is_compared_with_that_chain(author: Author) -> None:
    now = author.rewrite('"Outline {{ text }}", model="small"', '"Sketch {{ text }}", model="big"').brief
    fork = author.fork(Edit(step="outline", template="Sketch briefly: {{ text }}", model="huge"), chain=now)
    after = author.fork(Edit(step="critique", template=TEXTS["critique"]), of=fork)
    for run in (fork, after):
        plan = author.lab.plan_keep(run)
        assert [advice.what for advice in plan.advice] == [
            "write model='huge' instead of model='big' in the decorator of outline, or in the .with_(...) that sets it"
        ]
        assert '-@prompt("Sketch {{ text }}", model="big")\n' in plan.patches[0].diff
    assert author.lab.keep(after, apply=True).applied == ("chains.py",)
    assert '@prompt("Sketch briefly: {{ text }}", model="big")' in author.text()


def test_a_fork_with_the_authors_chain_and_no_edit_leaves_nothing_to_keep(author: Author) -> None:
    now = author.rewrite("Outline {{ text }}", "Sketch {{ text }}").brief
    plan = author.lab.keep(author.fork(chain=now, on_drift="rerun"), apply=True)
    assert plan.empty and plan.kept_at is not None


def test_a_fork_without_edits_leaves_nothing_to_keep(author: Author) -> None:
    plan = author.lab.keep(author.fork(), apply=True)
    assert plan.empty and plan.notes == () and plan.kept_at is not None


def test_a_deleted_parent_is_stood_for_by_the_first_run(author: Author) -> None:
    first = author.fork(Edit(step="outline", template=TEXTS["outline"], model="big"))
    second = author.fork(Edit(step="draft", template=TEXTS["draft"]), of=first)
    delete_runs(author.lab.store.path, [first.id])
    plan = author.lab.keep(second, apply=True)
    assert sorted(plan.applied) == ["chains.py", "draft.j2"]
    assert len(plan.advice) == 1 and "write model='big' instead of model='small'" in plan.advice[0].what
    assert len(plan.notes) == 1 and first.id in plan.notes[0] and author.run.id in plan.notes[0]


def test_a_fork_whose_whole_lineage_is_deleted_still_patches_its_texts(author: Author) -> None:
    first = author.fork(Edit(step="note", template=TEXTS["note"]), Edit(step="draft", template=TEXTS["draft"]))
    edits = [Edit(step="outline", system="Be exact."), Edit(step="critique", template=TEXTS["critique"], model="big")]
    second = author.fork(*edits, of=first)
    delete_runs(author.lab.store.path, [author.run.id, first.id])
    plan = author.lab.keep(second, apply=True)
    assert sorted(plan.applied) == ["chains.py", "draft.j2"]
    assert codes(plan) == [("outline", "patch-new")]
    assert [advice.what for advice in plan.advice] == ["critique was edited: model='big'; write that where it stands"]
    assert len(plan.notes) == 1 and first.id in plan.notes[0]
    now = author.rewrite('"Outline {{ text }}", model="small"', '"Outline {{ text }}", system="Be exact."')
    steps = {step.name: step for step in now.brief.spec.steps}
    assert steps["critique"].messages[0].template == TEXTS["critique"]


# -- what no source holds ---------------------------------------------------------------------------------------------


def test_an_edit_of_one_item_is_not_patched_until_it_is_that_of_the_step(author: Author) -> None:
    one = author.fork(Edit(step="note[1]", template=TEXTS["note"], model="big"))
    plan = author.lab.keep(one, apply=True)
    assert codes(plan) == [("note[1]", "patch-item")] and plan.patches == ()
    assert plan.problems[0].text == TEXTS["note"]
    assert f"chainlab replay {one.id} --step note --template @FILE" in plan.problems[0].error.remedy
    assert len(plan.advice) == 1 and "note[1] ran with model='big', alone" in plan.advice[0].what

    later = author.fork(Edit(step="critique", template=TEXTS["critique"]), of=one)
    assert codes(author.lab.plan_keep(later)) == [("note[1]", "patch-item")]

    promoted = author.fork(Edit(step="note", template=TEXTS["note"]), of=one)
    plan = author.lab.keep(promoted, apply=True)
    assert (codes(plan), plan.applied) == ([], ("chains.py",))
    assert author.again_elsewhere(promoted) == ["ok", 0, ["reused"], True]


def test_outputs_and_inputs_set_by_hand_change_no_source(author: Author) -> None:
    by_hand = [Edit(step="outline", output="by hand"), Edit(step="$input", inputs={"topics": ["cup", "pot"]})]
    whole = ["inputs of the run were replaced (topics)", "the output of outline was set by hand"]
    item = [Edit(step="note[0]", inputs={"plan": "none"})]
    for edits, said in ((by_hand, whole), (item, ["inputs of note[0] were set by hand (plan)"])):
        fork = author.fork(*edits)
        for run in (fork, author.fork(of=fork)):
            plan = author.lab.plan_keep(run)
            assert plan.empty and [note.partition(":")[0] for note in plan.notes] == said


# -- the mark ---------------------------------------------------------------------------------------------------------


def test_a_kept_fork_is_seen_by_readers_with_a_change_number_once(author: Author) -> None:
    fork = author.fork(Edit(step="outline", template=TEXTS["outline"]))
    _, before = author.lab.reader.change()
    first = author.lab.keep(fork)
    (row,) = [run for run in author.lab.reader.runs() if run.kept_at is not None]
    assert (row.id, row.kept_at, row.change) == (fork.id, first.kept_at, before + 1)
    assert author.lab.reader.change()[1] == before + 1
    again = author.lab.keep(fork, apply=True)
    assert (again.kept_at, again.applied) == (first.kept_at, ("chains.py",))
    assert author.lab.reader.change()[1] == before + 1


def test_patches_that_were_applied_before_the_mark_are_found_in_place(author: Author) -> None:
    fork = author.fork(*(Edit(step=step, template=text) for step, text in TEXTS.items()))
    apply_patches(author.lab.plan_keep(fork).patches)  # and here the process dies
    patched = author.text(), author.text("draft.j2")
    plan = author.lab.keep(fork, apply=True)
    lines = author.text().splitlines()
    found = [place.partition(":") for place in plan.in_place]
    shown = [lines[int(line) - 1].strip() for file, _, line in found if file == "chains.py"]
    assert [text.partition("(")[0] for text in shown] == ["@prompt", '"""', 'CRITIQUE = """Criticise, line by line:']
    assert "draft.j2:1" in plan.in_place
    assert (plan.patches, plan.problems, plan.applied) == ((), (), ())
    assert plan.kept_at is not None and (author.text(), author.text("draft.j2")) == patched


def test_a_patch_that_cannot_be_written_leaves_the_fork_unmarked(author: Author) -> None:
    fork = author.fork(Edit(step="draft", template=TEXTS["draft"]))
    (author.root / "draft.j2").chmod(0o444)
    with pytest.raises(PatchError) as caught:
        author.lab.keep(fork, apply=True)
    assert caught.value.code == "patch-write" and kept_at(author, fork) is None


def test_a_failed_fork_is_kept_only_by_force(author: Author) -> None:
    with Lab.open("traces.db", default_model=ScriptedBackend(lambda request: RuntimeError("no"))) as lab:
        fork = lab.replay_sync(author.run.id, edits=[Edit(step="draft", template=TEXTS["draft"])])
    plan = author.lab.plan_keep(fork)
    assert plan.refused is not None and len(plan.patches) == 1
    with pytest.raises(PatchError) as caught:
        author.lab.keep(fork, apply=True)
    assert caught.value.code == "fork-failed" and "RuntimeError" in caught.value.message
    assert kept_at(author, fork) is None and author.text("draft.j2") != TEXTS["draft"]
    assert author.lab.keep(fork, apply=True, force=True).kept_at == kept_at(author, fork) is not None
    assert author.text("draft.j2") == TEXTS["draft"]


def test_a_fork_that_goes_on_is_not_kept_even_by_force(author: Author) -> None:
    fork = author.fork(Edit(step="draft", template=TEXTS["draft"]))
    with sqlite3.connect("traces.db") as connection:  # its process, this one, is alive
        connection.execute("UPDATE runs SET status = 'running' WHERE id = ?", (fork.id,))
    connection.close()
    with pytest.raises(PatchError) as caught:
        author.lab.keep(fork, force=True)
    assert caught.value.code == "fork-live"


def test_a_run_that_is_no_fork_is_refused(author: Author) -> None:
    with pytest.raises(PatchError) as caught:
        author.lab.keep(author.run)
    assert caught.value.code == "no-fork" and kept_at(author, author.run) is None


def test_a_deleted_and_an_unknown_run_are_not_found(author: Author) -> None:
    fork = author.fork(Edit(step="draft", template=TEXTS["draft"]))
    delete_runs(author.lab.store.path, [fork.id])
    for run in (fork, fork.id, "zzz"):
        for ask in (author.lab.keep, author.lab.plan_keep):
            with pytest.raises(StoreError) as caught:
                ask(run)
            assert caught.value.code == "run-not-found"
