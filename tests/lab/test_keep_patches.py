"""What keeping an edit takes: real files, declared chains, edits as a replay applies them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from chainlab.lab.keep import Advice, PromptPatch, kept_patches
from chainlab.source.apply import apply_patches
from chainlab.spec.chain import ChainSpec, dump, load
from chainlab.spec.edit import Edit, apply_edits
from tests.source.author import HEAD, declare, project, spec_of

BRIEF = '''
from pydantic import BaseModel

class Topics(BaseModel):
    topics: list[str]

@prompt("List the topics of this text.\\n\\n{{ text }}", model="small")
def extract(text: str) -> Topics: return fill()

@prompt(  # of one topic
    """
    Summarise what the text says about {{ topic }}.

    {{ text }}
    """,
    system="You are short.",
    model="small",
    temperature=0.7,
)
def summarise(topic: str, text: str) -> str: return fill()

@prompt(file="draft.j2", model="big")
def draft(summaries: list[str]) -> str: return fill()

CRITIQUE = "Critique:\\n\\n{{ article }}"

@prompt(CRITIQUE)
def critique(article: str) -> str: return fill()

@chain
def write(notes: list[str]) -> str:
    return critique(draft(notes))

@chain
def brief(text: str) -> str:
    found = extract(text)
    notes = each(found.topics, lambda topic: summarise(topic, text))
    return write(notes)

@chain
def twice(text: str) -> str:
    return critique(critique(text))
'''


def written(root: Path, body: str = BRIEF) -> ModuleType:
    """The author's project."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "draft.j2").write_text("Write an article:\n{% for s in summaries %}{{ s }}\n{% endfor %}")
    return project(root, body)


def edited(spec: ChainSpec, *edits: Edit) -> ChainSpec:
    """The spec that a fork with these edits runs."""
    return apply_edits(spec, edits).spec


def kept(root: Path, module: ModuleType, *edits: Edit, name: str = "brief") -> tuple[PromptPatch, ...]:
    """What these edits need, by step."""
    spec = spec_of(module, name)
    return kept_patches(spec, edited(spec, *edits), root)


def line_of(text: str, body: str = BRIEF) -> str:
    """`chains.py:12` of the first line with this text."""
    lines = (HEAD + body).splitlines()
    return f"chains.py:{next(n for n, line in enumerate(lines, 1) if text in line)}"


def test_a_chain_without_edits_needs_nothing(tmp_path: Path) -> None:
    assert kept(tmp_path, written(tmp_path)) == ()


def test_edited_templates_of_all_kinds_are_kept_and_the_chain_is_the_fork_then(tmp_path: Path) -> None:
    module = written(tmp_path)
    before = spec_of(module, "brief")
    after = edited(
        before,
        Edit(step="extract", template="List at most five topics.\n\n{{ text }}"),
        Edit(step="summarise", template="{{ topic }}:\n\n{{ text }}\n", system="You are very short."),
        Edit(step="write/draft", template="Write:\n{{ summaries }}\n"),
        Edit(step="write/critique", template='Be "kind":\n{{ article }}'),
    )
    found = kept_patches(before, after, tmp_path)
    assert [(step.path, len(step.patches), step.advice) for step in found] == [
        ("extract", 1, ()),
        ("summarise", 2, ()),
        ("write/draft", 1, ()),
        ("write/critique", 1, ()),
    ]
    done = apply_patches(patch for step in found for patch in step.patches)
    assert sorted(patch.file for patch in done) == ["chains.py", "draft.j2"]
    assert spec_of(declare(tmp_path / "chains.py"), "brief").content == after.content


def test_a_patch_says_which_line_changes_and_nothing_is_written(tmp_path: Path) -> None:
    module = written(tmp_path)
    (step,) = kept(tmp_path, module, Edit(step="extract", template="Topics?\n\n{{ text }}"))
    (text,) = step.texts
    assert (text.role, text.where, text.new) == ("user", line_of('@prompt("List'), "Topics?\n\n{{ text }}")
    assert text.patch is not None and '+@prompt("Topics?\\n\\n{{ text }}", model="small")' in text.patch.diff
    assert (tmp_path / "chains.py").read_text() == HEAD + BRIEF


def test_a_changed_file_is_a_reason_with_the_text_to_copy(tmp_path: Path) -> None:
    module = written(tmp_path)
    (tmp_path / "chains.py").write_text((HEAD + BRIEF).replace("List the topics", "Name the topics"))
    (step,) = kept(tmp_path, module, Edit(step="extract", template="Topics? {{ text }}"))
    (text,) = step.texts
    assert text.patch is None and text.problem is not None and text.problem.code == "patch-changed"
    assert text.new == "Topics? {{ text }}"


def test_a_chain_from_json_without_places_says_that_nothing_is_known(tmp_path: Path) -> None:
    data = load(dump(spec_of(written(tmp_path), "brief"))).model_dump(mode="json")
    for message in data["steps"][0]["messages"]:
        message["source"] = None
    before = ChainSpec.model_validate(data)
    (step,) = kept_patches(before, edited(before, Edit(step="extract", template="T {{ text }}")), tmp_path)
    assert step.texts[0].problem is not None and step.texts[0].problem.code == "patch-unknown"


def test_a_new_model_and_new_sampling_are_said_at_the_arguments_line(tmp_path: Path) -> None:
    (step,) = kept(tmp_path, written(tmp_path), Edit(step="summarise", model="big", temperature=0.2, max_tokens=50))
    assert step.texts == ()
    assert step.advice == (
        Advice(
            line_of('    model="small",'),
            "write model='big' instead of model='small' in the decorator of summarise, or in the .with_(...) that sets"
            " it",
        ),
        Advice(
            line_of("temperature=0.7"),
            "write temperature=0.2 instead of temperature=0.7 in the decorator of summarise, or in the .with_(...)"
            " that sets it",
        ),
        Advice(line_of("# of one topic"), "add max_tokens=50 to the decorator of summarise"),
    )


def test_a_model_that_the_chain_overrides_is_changed_there(tmp_path: Path) -> None:
    module = written(tmp_path, BRIEF + '\nother = brief.with_(models={"small": "medium"})\n')
    (step,) = kept(tmp_path, module, Edit(step="extract", model="big"), name="other")
    assert [advice.what for advice in step.advice] == [
        "the chain's .with_(models={'small': 'medium'}) decides the model: write 'extract': 'big' there"
    ]


def test_a_model_that_was_written_and_overridden_is_said_all_the_same(tmp_path: Path) -> None:
    module = written(tmp_path, BRIEF + '\nother = brief.with_(models={"small": "medium"})\n')
    (step,) = kept(tmp_path, module, Edit(step="extract", model="small"), name="other")
    assert [advice.what for advice in step.advice] == [
        "the chain's .with_(models={'small': 'medium'}) decides the model: write 'extract': 'small' there"
    ]


def test_a_new_variable_names_the_parameter_and_the_value_at_the_call(tmp_path: Path) -> None:
    (step,) = kept(
        tmp_path,
        written(tmp_path),
        Edit(
            step="summarise",
            template="{{ topic }} of {{ topics }} in {{ text }}",
            bind={"topics": "extract.topics"},
        ),
    )
    assert step.advice == (
        Advice(
            line_of("def summarise"),
            "parameters of summarise: add topics: list[str]: def summarise(topic: str, text: str, topics: list[str])"
            " -> str",
        ),
        Advice(line_of("notes = each"), "call summarise with topics=found.topics"),
    )


def test_a_value_without_a_variable_is_given_one(tmp_path: Path) -> None:
    body = BRIEF + '\n@prompt("{{ text }}")\ndef polish(text: str) -> str: return fill()\n'
    body += "\n@chain\ndef last(text: str) -> str:\n    return polish(\n        critique(text)\n    )\n"
    (step,) = kept(
        tmp_path,
        written(tmp_path, body),
        Edit(step="polish", template="{{ text }}{{ before }}", bind={"before": "critique"}),
        name="last",
    )
    assert [advice.what for advice in step.advice[1:]] == [
        "call polish with before=critique_result",
        "put the result of critique into a variable, critique_result, to pass it on",
    ]
    assert step.advice[2].where == line_of("        critique(text)", body)


def test_a_chain_input_is_named_as_it_is(tmp_path: Path) -> None:
    spec = spec_of(written(tmp_path), "twice")
    after = edited(spec, Edit(step="critique~2", template="{{ article }} of {{ whole }}", bind={"whole": "text"}))
    second = kept_patches(spec, after, tmp_path)[-1]
    assert "call critique with whole=text" in [advice.what for advice in second.advice]


def test_a_variable_that_is_used_no_more_leaves_a_parameter_to_remove(tmp_path: Path) -> None:
    (step,) = kept(tmp_path, written(tmp_path), Edit(step="summarise", template="Say something of {{ topic }}."))
    assert [advice.what for advice in step.advice] == [
        "parameters of summarise: remove text, which no template mentions any more: def summarise(topic: str) -> str",
        "call summarise without text",
    ]


def test_inputs_set_by_hand_need_nothing_in_the_source(tmp_path: Path) -> None:
    (step,) = kept(tmp_path, written(tmp_path), Edit(step="extract", inputs={"text": "x"}))
    assert step.patches == () and "nothing in the source changes" in step.advice[0].what


def test_a_system_message_that_was_not_there_is_an_argument_to_add(tmp_path: Path) -> None:
    (step,) = kept(tmp_path, written(tmp_path), Edit(step="extract", system="Be exact."))
    (text,) = step.texts
    assert (text.role, text.new, text.patch) == ("system", "Be exact.", None)
    assert text.problem is not None and text.problem.code == "patch-new" and 'system="..."' in text.problem.remedy


def test_an_edit_of_one_use_says_that_the_other_use_changes_too(tmp_path: Path) -> None:
    (step,) = kept(tmp_path, written(tmp_path), Edit(step="critique~2", template="Again: {{ article }}"), name="twice")
    assert len(step.patches) == 1
    assert step.advice[0].where == line_of("CRITIQUE =")
    assert step.advice[0].what.startswith("critique uses the same text, and changes with it")


def test_two_uses_edited_alike_are_one_patch(tmp_path: Path) -> None:
    edits = [Edit(step=step, template="Again: {{ article }}") for step in ("critique", "critique~2")]
    found = kept(tmp_path, written(tmp_path), *edits, name="twice")
    assert [(len(step.patches), step.advice) for step in found] == [(1, ()), (1, ())]
    (patch,) = apply_patches(patch for step in found for patch in step.patches)
    assert b'CRITIQUE = "Again: {{ article }}"' in patch.new


def test_two_uses_edited_differently_are_refused_both(tmp_path: Path) -> None:
    edits = [Edit(step=step, template=f"{step} {{{{ article }}}}") for step in ("critique", "critique~2")]
    problems = [text.problem for step in kept(tmp_path, written(tmp_path), *edits, name="twice") for text in step.texts]
    assert [problem and problem.code for problem in problems] == ["patch-conflict", "patch-conflict"]


def test_a_file_outside_the_project_gets_no_patch_and_still_its_advice(tmp_path: Path) -> None:
    module = written(tmp_path / "elsewhere")
    (tmp_path / "app").mkdir()
    (step,) = kept(tmp_path / "app", module, Edit(step="extract", template="T {{ text }}", model="big"))
    assert step.texts[0].problem is not None and step.texts[0].problem.code == "patch-outside"
    assert step.advice[0].where == f"{tmp_path / 'elsewhere' / 'chains.py'}:8"
