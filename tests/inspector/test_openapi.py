"""What is generated is current: the schema from the routes, the page's types from the schema, the lock files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chainlab.inspector.schema import openapi_text

UI = Path(__file__).resolve().parents[2] / "inspector_ui"
REMEDY = "run `python inspector_ui/check.py --write`"


def test_the_schema_of_the_page_is_the_one_of_the_routes() -> None:
    assert (UI / "openapi.json").read_text() == openapi_text(), REMEDY


def test_the_types_of_the_page_name_every_model() -> None:
    types = (UI / "src" / "api" / "schema.ts").read_text()
    for name in json.loads((UI / "openapi.json").read_text())["components"]["schemas"]:
        assert re.search(rf"^        (readonly )?{name}: \{{$", types, re.MULTILINE), f"{name}: {REMEDY}"


@pytest.mark.skipif(not (UI / "tools" / "node_modules").is_dir(), reason="`make lint` installs the generator")
def test_the_types_of_the_page_are_the_ones_of_the_schema() -> None:
    done = subprocess.run([sys.executable, UI / "check.py", "--types-only"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", [UI, UI / "tools"])
def test_a_lock_file_says_what_and_never_from_where(folder: Path) -> None:
    text = (folder / "package-lock.json").read_text()
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}
    assert '"resolved"' not in text
    assert all("integrity" in each for each in packages.values())
    assert not [name for name, each in packages.items() if each.get("hasInstallScript") and not each.get("optional")]


@pytest.mark.parametrize("folder", [UI, UI / "tools"])
def test_a_lock_file_holds_the_parts_of_every_platform(folder: Path) -> None:
    # npm forgets those of other platforms when it locks again beside installed packages; `npm ci` then refuses.
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    names = {name.rpartition("node_modules/")[2] for name in packages}
    wanted = {name for each in packages.values() for name in each.get("optionalDependencies", {})}
    assert wanted <= names, "delete node_modules and the lock file, then `npm install --package-lock-only`"


def test_no_source_makes_markup_from_text() -> None:
    banned = re.compile(r"dangerouslySetInnerHTML|\.innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(")
    sources = [path for path in (UI / "src").rglob("*.ts*") if path.name != "schema.ts"]
    assert len(sources) > 20
    assert not [path.name for path in sources if banned.search(path.read_text())]
