"""What `import chainlab` gives, what it costs, and that nothing is said to a model that the author did not write."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_overloads

import pytest

import chainlab
from chainlab import Lab, Prompt, Request, ScriptedBackend, Step, chain, each, fill, prompt, step, system, user
from chainlab.spec.template import compiled

# The frozen names of the declaration API, by what they are called with. `self` left out.
FUNCTIONS: dict[str, str] = {
    "prompt": "template file messages system name model temperature max_tokens stop seed top_p retries feedback"
    " logprobs n timeout cache tags",
    "step": "fn name effects retries timeout tags",
    "chain": "fn name budget tags",
    "each": "items f on_error",
    "when": "condition then otherwise",
    "given": "value then otherwise",
    "refine": "draft review accept improve max_rounds on_limit",
    "not_": "condition",
    "fill": "",
    "system": "template file",
    "user": "template file",
    "assistant": "template file",
}
METHODS: dict[str, str] = {
    "Prompt.with_": "name model temperature max_tokens stop seed top_p retries timeout cache tags",
    "Step.with_": "name retries timeout tags",
    "Chain.with_": "name models budget tags",
    "Chain.mermaid": "",
    "Run.raise_for_status": "",
    "RunStream.run": "",
    "RunStream.aclose": "",
    "Lab.open": "path default_model budget",
    "Lab.close": "",
    "Lab.get": "run_id",
    "Lab.runs": "chain status limit after",
    "Lab.plan_keep": "fork",
    "Lab.keep": "fork apply force",
    "ScriptedBackend.__init__": "reply",
}
MEMBERS: dict[str, str] = {
    "Prompt": "run run_sync stream __call__",
    "Step": "run run_sync stream __call__",
    "Chain": "run run_sync stream __call__ spec",
    "Lab": "run run_sync stream __enter__ __exit__ __aenter__ __aexit__",
    "Run": "id status output steps",
    "RunStream": "__aiter__",
}
ERRORS: dict[str, str] = {
    "ChainError": "code file line step expected got remedy",
    "RunFailed": "run path code attempt expected got retryable",
}
# Takes **, with the reason.
OPEN: dict[str, str] = {
    "make": "the fields of the author's class (ParamSpec)",
    "route": "an unknown option is refused as a ChainError with the right name",
}


def names(function: Callable[..., Any]) -> list[str]:
    """The parameters of a function; of an overloaded one those of all its forms."""
    forms = get_overloads(function) or [function]
    found = [name for form in forms for name in inspect.signature(form).parameters if name not in ("self", "cls")]
    return list(dict.fromkeys(found))


def test_everything_in_all_can_be_imported() -> None:
    assert [name for name in chainlab.__all__ if not hasattr(chainlab, name)] == []
    assert sorted(chainlab.__all__) == list(chainlab.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="chainlab"):
        _ = chainlab.chains


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_has_its_parameters(name: str) -> None:
    assert sorted(names(getattr(chainlab, name))) == sorted(FUNCTIONS[name].split())


@pytest.mark.parametrize("name", METHODS)
def test_a_public_method_has_its_parameters(name: str) -> None:
    owner, _, method = name.partition(".")
    assert names(getattr(getattr(chainlab, owner), method)) == METHODS[name].split()


@pytest.mark.parametrize("name", MEMBERS)
def test_a_public_class_has_its_members(name: str) -> None:
    cls = getattr(chainlab, name)
    known = {*dir(cls), *getattr(cls, "__slots__", ()), *inspect.signature(cls.__init__).parameters}
    assert set(MEMBERS[name].split()) <= known


def test_errors_carry_their_parts() -> None:
    error = chainlab.ChainError("x", code="c", remedy="r")
    failed = chainlab.RunFailed(None, path="p", code="c", message="m")
    for exception, parts in ((error, ERRORS["ChainError"]), (failed, ERRORS["RunFailed"])):
        assert [part for part in parts.split() if not hasattr(exception, part)] == []


def test_a_request_shows_what_the_model_gets() -> None:
    assert {"step", "model", "messages", "output_schema"} <= set(Request.model_fields)


def test_no_public_function_takes_any_keyword() -> None:
    """`run`, `__call__` and their like take the author's own parameters: typed by ParamSpec, not here."""
    open_ended = set()
    for name in chainlab.__all__:
        value = getattr(chainlab, name)
        if inspect.isfunction(value) and _takes_any(value):
            open_ended.add(name)
        if inspect.isclass(value) and value.__module__.startswith("chainlab."):
            open_ended |= {
                f"{name}.{key}"
                for key, member in vars(value).items()
                if inspect.isfunction(member)
                and key not in ("run", "run_sync", "stream", "__call__")
                and _takes_any(member)
            }
    assert open_ended == set(OPEN)


def _takes_any(function: Callable[..., Any]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values())


HEAVY = ("sqlalchemy", "alembic", "networkx", "fastapi", "starlette", "uvicorn", "httpx", "typer", "rich", "jsonschema")


def python(code: str) -> Any:
    """What a line of code prints as JSON, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


LANGUAGE = "from chainlab import chain, each, fill, prompt, route, step, when"


def test_what_a_chain_is_written_with_loads_pydantic_and_jinja_only() -> None:
    loaded = python(f"{LANGUAGE}; import json, sys; print(json.dumps(sorted(sys.modules)))")
    assert "pydantic" in loaded and "jinja2" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_the_package_itself_loads_nothing() -> None:
    loaded = python("import chainlab, json, sys; print(json.dumps(sorted(sys.modules)))")
    assert [name for name in loaded if name.startswith("chainlab")] == ["chainlab", "chainlab.runner"]
    assert [name for name in ("pydantic", "jinja2", "asyncio", *HEAVY) if name in loaded] == []


def test_the_command_line_reads_runs_without_jinja_or_the_language() -> None:
    loaded = python("import chainlab.cli.main, chainlab.store.store, json, sys; print(json.dumps(sorted(sys.modules)))")
    assert [name for name in loaded if name == "jinja2" or name.startswith("chainlab.declare")] == []


def test_a_name_is_what_type_checkers_are_told() -> None:
    (block,) = (
        node
        for node in ast.parse(Path(chainlab.__file__).read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    told = {alias.name: line.module for line in block.body if isinstance(line, ast.ImportFrom) for alias in line.names}
    assert told.pop("Runner") == "chainlab.protocols"  # not public
    assert {name: f"chainlab.{module}" for name, module in chainlab._MODULES.items()} == told
    assert sorted(told) == chainlab.__all__


def test_a_chain_runs_in_the_default_lab_of_a_process_that_has_opened_none(tmp_path: Path) -> None:
    (tmp_path / "chainlab.toml").write_text("")
    code = f"""
import json, os
os.chdir({str(tmp_path)!r})
from chainlab import chain, step

@step
def twice(n: int) -> int:
    return 2 * n

@chain
def only(n: int) -> int:
    return twice(n)

print(json.dumps(only.run_sync(4).output))
"""
    assert python(code) == 8


def test_what_a_chain_is_written_with_builds_no_model_and_loads_no_event() -> None:
    code = f"""
import json, sys
{LANGUAGE}
from pydantic import BaseModel
classes = [BaseModel]
for cls in classes:
    classes.extend(cls.__subclasses__())
built = [cls.__name__ for cls in classes if cls.__module__.startswith("chainlab.") and cls.__pydantic_complete__]
print(json.dumps([len(classes), built, "chainlab.events" in sys.modules]))
"""
    models, built, events = python(code)
    assert models > 20
    assert built == []
    assert not events


def test_importing_chainlab_opens_no_socket_file_for_writing_or_process() -> None:
    code = f"""
import json, sys
seen = []
def hook(event, args):
    if event.startswith(("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "sqlite3.connect")):
        seen.append(event)
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+") and ".pyc" not in str(args[0]):
        seen.append(f"open {{args[0]}} {{args[1]}}")
sys.addaudithook(hook)
{LANGUAGE}
print(json.dumps(seen))
"""
    assert python(code) == []


def test_declaring_a_chain_opens_no_socket_and_no_database(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from chainlab import chain, fill, prompt\n"
        "@prompt('Say hello to {{ name }}.')\ndef hello(name: str) -> str: return fill()\n"
        "@chain\ndef greet(name: str) -> str: return hello(name)\n"
    )
    code = f"""
import json, runpy, sys
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event.startswith(("socket.", "sqlite3.")) else None)
runpy.run_path({str(file)!r})
print(json.dumps(seen + [name for name in {HEAVY!r} if name in sys.modules]))
"""
    assert python(code) == []


# -- no word is said to a model that the author did not write --------------------------------------------------------

TEMPLATE = "Summarise {{ topic }} of:\n\n{% for line in lines %}- {{ line }}\n{% endfor %}{{ wanted }}\n"


@prompt(TEMPLATE, system="You answer about {{ topic }}.")
def plain(topic: str, lines: list[str], wanted: bool) -> str:
    return fill()


@prompt(messages=[system("Be {{ mood }}."), user("Rate: {{ text }}")])
def typed(mood: str, text: str) -> list[int]:
    return fill()


@step
def shout(text: str) -> str:
    return text.upper()


@chain
def both(topic: str, lines: list[str]) -> list[list[int]]:
    return each(lines, lambda line: typed(topic, shout(plain(topic, lines, wanted=True))))


def sent(what: Prompt[..., Any], tmp_path: Path, reply: str, **inputs: Any) -> Sequence[Any]:
    """The messages of the one request that a prompt makes."""
    backend = ScriptedBackend(lambda request: reply)
    with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
        run = lab.run_sync(what, **inputs)
        run.raise_for_status()
    assert len(backend.requests) == 1
    return backend.requests[0].messages


def test_a_plain_prompt_is_sent_as_it_is_rendered(tmp_path: Path) -> None:
    inputs = {"topic": "rain", "lines": ["a", "b\n"], "wanted": True}
    assert sent(plain, tmp_path, "x", **inputs) == [
        {"role": "system", "content": "You answer about rain."},
        {"role": "user", "content": compiled(TEMPLATE).render(inputs).text},
    ]


def test_a_typed_prompt_is_sent_as_it_is_rendered_too(tmp_path: Path) -> None:
    """The type goes along as a JSON Schema beside the messages; no instruction is slipped into them."""
    assert sent(typed, tmp_path, "[1]", mood="kind", text="ok {{ x }}") == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Rate: ok {{ x }}"},
    ]


def test_no_request_of_a_chain_holds_a_word_of_ours(tmp_path: Path) -> None:
    backend = ScriptedBackend(lambda request: "[1, 2]" if request.output_schema else "said")
    with Lab.open(tmp_path / "t.db", default_model=backend) as lab:
        assert lab.run_sync(both, topic="rain", lines=["a", "b"]).output == [[1, 2], [1, 2]]
    texts = {message["content"] for request in backend.requests for message in request.messages}
    whole = compiled(TEMPLATE).render({"topic": "rain", "lines": ["a", "b"], "wanted": True}).text
    assert texts == {"You answer about rain.", whole, "Be rain.", "Rate: SAID"}


def test_the_only_words_of_ours_are_the_feedback_template() -> None:
    """Templates of the package: one, visible and overridable; the chains of demo and starter are author's files."""
    from chainlab.spec import feedback

    assert "{{ error }}" in feedback.DEFAULT_FEEDBACK
    package = Path(chainlab.__file__).parent
    others = [
        file.relative_to(package).as_posix()
        for file in package.rglob("*.py")
        if "{%" in file.read_text() and "endfor" in file.read_text()
    ]
    assert sorted(others) == ["cli/demo_chain.py", "cli/starter_chain.py", "spec/feedback.py"]


def test_a_step_and_a_prompt_are_what_their_names_say() -> None:
    assert (type(plain), type(shout)) == (Prompt, Step)
    assert shout.fn("a") == "A"
