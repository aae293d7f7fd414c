"""The house: floors and rooms, read from the imports. `docs/architecture.md` says why; this says where it is broken."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "chainlab"

FLOORS: dict[int, set[str]] = {
    8: {"cli"},
    7: {"inspector", "testing"},
    6: {"lab"},
    5: {"engine"},
    4: {"declare", "replay", "compare", "backends", "store", "sandbox", "noise"},
    3: {"plan", "trace", "run", "frames"},
    2: {"spec", "config", "source"},
    1: {"events", "messages", "protocols", "runner"},
    0: {"errors", "values"},
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}

# The steps inside a floor: single files that use a neighbour, in one direction only.
NEIGHBOURS: dict[str, set[str]] = {
    "protocols": {"events", "messages"},  # the seams are written in terms of both
    "config": {"spec"},  # chainlab.toml holds model references, whose grammar is spec/model.py
    "source": {"spec"},  # a recorded place is a SourceRef, a part of the spec
}

# Floors would allow these; what the room is would not.
FORBIDDEN: dict[str, dict[str, str]] = {
    "engine": {
        "store": "the engine knows no database: it reports to a Journal (chainlab/protocols.py)",
        "backends": "the engine knows no HTTP: it calls a Backend (chainlab/protocols.py)",
        "declare": "the engine runs specs, with or without the author's code",
    },
}

# Where each outside library lives. pydantic and typing_extensions may be used everywhere.
LIBRARIES: dict[str, str] = {
    "jinja2": "spec",
    "markupsafe": "spec",
    "networkx": "plan",
    "httpx": "backends",
    "httpx_aiohttp": "backends",
    "aiohttp": "backends",
    "genai_prices": "backends",
    "xllamacpp": "backends",
    "sqlalchemy": "store",
    "alembic": "store",
    "psycopg": "store",
    "fastapi": "inspector",
    "starlette": "inspector",
    "uvicorn": "inspector",
    "typer": "cli",
    "click": "cli",
    "rich": "cli",
    "jsonschema": "values",
    "referencing": "values",
}
EVERYWHERE = {"pydantic", "pydantic_core", "typing_extensions", "annotated_types"}

# The package itself stands above all floors. The command line uses it as an author does.
USES_THE_PACKAGE = {"chainlab/cli/demo_chain.py", "chainlab/cli/main.py", "chainlab/cli/starter_chain.py"}


@dataclass(frozen=True)
class Import:
    """One import: where it stands and what it names."""

    file: str
    line: int
    module: str


def room_of(module: str) -> str | None:
    """`chainlab.store.schema` -> `store`; None for the package itself."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def imports_of(source: str, file: str) -> Iterator[Import]:
    """Every import that can happen at run time, inside functions too."""
    stack: list[ast.AST] = [ast.parse(source)]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            stack.extend(node.orelse)
            continue
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield Import(file, node.lineno, alias.name)
            case ast.ImportFrom(module=str(module), level=0, names=names):
                for alias in names:
                    # `from chainlab import errors` names a module, `from chainlab import chain` the package's own API
                    below = f"{module}.{alias.name}"
                    is_room = module == "chainlab" and alias.name in FLOOR_OF
                    yield Import(file, node.lineno, below if is_room else module)
            case ast.Call(func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"), args=[first, *_]):
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield Import(file, node.lineno, first.value)
            case _:
                pass
        stack.extend(ast.iter_child_nodes(node))


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def complaint(found: Import) -> str | None:
    """What is wrong with an import and what to do; None when it is right."""
    inner = found.file.removeprefix("chainlab/").removesuffix(".py").split("/")
    room = inner[0]
    if room == "__init__":
        return None
    at = f"{found.file}:{found.line} imports {found.module}"
    if room not in FLOOR_OF:
        return f"{found.file} is in no room: give {room!r} a floor in docs/architecture.md and in FLOORS here"
    if found.module.split(".")[0] != "chainlab":
        return _library_complaint(room, found.module.split(".")[0], at)
    other = room_of(found.module)
    if other is None:
        allowed = found.file in USES_THE_PACKAGE
        return None if allowed else f"{at}: the package stands above all floors; import from the module that defines it"
    if other not in FLOOR_OF:
        return f"{at}, which is in no room: give {other!r} a floor in docs/architecture.md and in FLOORS here"
    return None if other == room else _floor_complaint(room, other, at)


def _library_complaint(room: str, library: str, at: str) -> str | None:
    home = LIBRARIES.get(library)
    if home is None or home == room:
        return None
    return f"{at}: {library} lives in {home}/ only; ask {home}/ for what you need, or pass the data in"


def _floor_complaint(room: str, other: str, at: str) -> str | None:
    if other in FORBIDDEN.get(room, {}):
        return f"{at}: {FORBIDDEN[room][other]}"
    mine, theirs = FLOOR_OF[room], FLOOR_OF[other]
    if theirs < mine or other in NEIGHBOURS.get(room, ()):
        return None
    if theirs == mine:
        return (
            f"{at}: {room} and {other} are neighbours on floor {mine}; move what both need to floor {mine - 1} or"
            f" lower, or let a room above bind them"
        )
    return (
        f"{at}: {other} (floor {theirs}) is above {room} (floor {mine}); take it as an argument or a Protocol, or move"
        f" the code up"
    )


def complaints(root: Path) -> list[str]:
    """Everything that is wrong below a package folder."""
    found = []
    for file in sorted(root.rglob("*.py")):
        relative = file.relative_to(root.parent).as_posix()
        found += [words for each in imports_of(file.read_text(), relative) if (words := complaint(each)) is not None]
    return list(dict.fromkeys(found))


def test_every_import_goes_down_and_every_library_has_one_room() -> None:
    assert complaints(PACKAGE) == []


@pytest.mark.parametrize(
    ("file", "source", "words"),
    [
        ("chainlab/engine/x.py", "def f():\n    import sqlalchemy", "engine/x.py:2 imports sqlalchemy: sqlalchemy"),
        ("chainlab/engine/x.py", "from chainlab.store.store import Store", "the engine knows no database"),
        ("chainlab/store/x.py", "from chainlab.declare.chain import Chain", "neighbours on floor 4"),
        ("chainlab/spec/x.py", "import chainlab.plan", "plan (floor 3) is above spec (floor 2)"),
        ("chainlab/plan.py", "from chainlab import lab", "lab (floor 6) is above plan (floor 3)"),
        ("chainlab/store/x.py", "from chainlab import Chain", "the package stands above all floors"),
        ("chainlab/tune/x.py", "import json", "chainlab/tune/x.py is in no room"),
        ("chainlab/lab/x.py", "import importlib\nimportlib.import_module('chainlab.cli.main')", "is above lab"),
        ("chainlab/values/x.py", "if TYPE_CHECKING:\n    pass\nelse:\n    import chainlab.run", "is above values"),
    ],
)
def test_a_planted_offender_is_named_with_what_to_do(file: str, source: str, words: str) -> None:
    told = [text for found in imports_of(source, file) if (text := complaint(found)) is not None]
    assert len(told) == 1 and words in told[0]


def test_an_import_for_type_checkers_is_no_import() -> None:
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from chainlab.lab.lab import Lab\n"
    assert [found.module for found in imports_of(source, "chainlab/errors.py")] == ["typing"]


def test_an_offender_in_a_file_is_found(tmp_path: Path) -> None:
    room = tmp_path / "chainlab" / "backends"
    room.mkdir(parents=True)
    (room / "wrong.py").write_text("import networkx\n")
    assert len(complaints(tmp_path / "chainlab")) == 1


def test_every_library_of_the_project_has_a_room() -> None:
    import tomllib

    settings = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    named = [*settings["dependencies"], *settings["optional-dependencies"]["local"]]
    libraries = {name.partition(">")[0].partition("[")[0].strip().replace("-", "_") for name in named}
    assert libraries <= set(LIBRARIES) | EVERYWHERE


def test_every_module_says_in_its_first_line_what_it_is() -> None:
    silent = []
    for file in sorted(PACKAGE.rglob("*.py")):
        text = (ast.get_docstring(ast.parse(file.read_text())) or "").strip()
        if not text:
            silent.append(file.relative_to(PACKAGE).as_posix())
    assert silent == []
