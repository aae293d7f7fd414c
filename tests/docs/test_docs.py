"""What the documents say is true: their examples run, links lead somewhere, nothing of the surface is left out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chainlab import ConfigError
from chainlab.config import rules
from chainlab.engine import policy
from chainlab.lab import default
from tests.docs import make_cli
from tests.docs.blocks import RUNNABLE, Block, blocks
from tests.docs.play import Reader
from tests.faults.faults import BOTH, PLAIN, STREAMED

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NEEDS_THE_MODEL = {"tutorial.md", "backtest.md", "replay.md"}

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def document(path: Path) -> str:
    """A document's name, for messages and test ids."""
    return path.relative_to(ROOT).as_posix()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project; the working directory."""
    (tmp_path / "chainlab.toml").write_text("")
    for name in ("CHAINLAB_DB", "CHAINLAB_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for lab in [lab for root, lab in default._projects.items() if root == tmp_path]:
        lab.close()  # what a document ran without a block ran in its project's own lab
    for name in [file.stem for file in tmp_path.glob("*.py")]:
        sys.modules.pop(name, None)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=document(path), marks=[pytest.mark.model] if path.name in NEEDS_THE_MODEL else [])
        for path in DOCUMENTS
    ],
)
def test_the_examples_of_a_document_work(path: Path, folder: Path) -> None:
    reader = Reader(folder, path.stem.lower())
    try:
        for block in blocks(path, ROOT):
            reader.play(block)
    finally:
        reader.close()


def test_a_block_that_is_not_run_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    found = [block for path in DOCUMENTS for block in blocks(path, ROOT)]
    skipped = [block for block in found if block.asks == "not run"]
    with capsys.disabled():
        print(f"\n{len(found) - len(skipped)} blocks of the documents are run or shown; {len(skipped)} are not run:")
        for block in skipped:
            print(f"  {block.place} ({block.language}): {block.what}")
    assert [block.place for block in skipped if len(block.what) < 10] == []
    assert [block.place for block in skipped if block.language not in RUNNABLE] == []
    assert [block.place for block in found if not block.language] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = []
    for path in DOCUMENTS:
        for target in _LINK.findall(_prose(path)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            other = (path.parent / name).resolve() if name else path
            if not other.exists() or (anchor and anchor not in _anchors(other)):
                broken.append(f"{document(path)}: {target}")
    assert broken == []


def _prose(path: Path) -> str:
    return re.sub(r"^(`{3,}).*?^\1$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)


def _anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    plain = (re.sub(r"[`*]", "", heading).lower() for heading in _HEADING.findall(_prose(path)))
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


def test_the_page_of_the_command_line_is_what_the_program_says() -> None:
    assert make_cli.TARGET.read_text() == make_cli.page(), "run `python -m tests.docs.make_cli`"


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text()
    keys = {*rules.TOP, *rules.ALIAS, *rules.BACKEND, *rules.PRICE, *rules.BUDGET}
    assert sorted(key for key in keys if f"`{key}`" not in text) == []


def test_every_environment_variable_is_documented() -> None:
    named: set[str] = set()
    for file in [*(ROOT / "chainlab").rglob("*.py"), ROOT / "hatch_build.py"]:
        named |= set(re.findall(r"CHAINLAB_[A-Z]+(?:_[A-Z]+)*", file.read_text()))
    text = (ROOT / "docs" / "settings.md").read_text()
    assert "CHAINLAB_DB" in named
    assert sorted(name for name in named if f"`{name}`" not in text) == []


def test_the_catalogue_of_refusals_is_the_one_that_is_tested() -> None:
    catalogue = (ROOT / "docs" / "declaring.md").read_text().partition("## What is refused")[2]
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", catalogue, re.MULTILINE))
    tested: set[str] = set()
    for file in (ROOT / "tests" / "declare" / "mistakes").glob("*.py"):
        tested |= set(re.findall(r"code=([a-z-]+)", file.read_text().partition("\n")[0]))
    assert sorted(tested - listed) == [], "not in docs/declaring.md"
    assert sorted(listed - tested - {"run-input", "bad-spec", "bad-model", "no-code"}) == [], "no mistake shows it"


def test_every_table_and_column_is_documented() -> None:
    from chainlab.store.schema import metadata
    from chainlab.store.views import NAMES

    text = (ROOT / "docs" / "storage.md").read_text()
    assert [name for name in (*metadata.tables, *NAMES) if f"`{name}`" not in text] == []
    words = set(re.findall(r"[a-z_]+", text))
    columns = {column.name for table in metadata.tables.values() for column in table.columns}
    assert sorted(columns - words) == []


def test_every_public_name_is_documented() -> None:
    import chainlab

    text = "".join(path.read_text() for path in DOCUMENTS)
    assert [name for name in chainlab.__all__ if not re.search(rf"\b{name}\b", text)] == []


# -- the harness itself can fail --------------------------------------------------------------------------------------


def _play(folder: Path, language: str, text: str, asks: str = "", what: str = "") -> None:
    reader = Reader(folder, "planted")
    try:
        reader.play(Block("planted.md", 1, language, text, asks, what))
    finally:
        reader.close()


def test_a_wrong_example_fails(folder: Path) -> None:
    with pytest.raises(NameError):
        _play(folder, "python", "chane()\n")
    with pytest.raises(AssertionError, match="exit|planted"):
        _play(folder, "sh", "chainlab show last\n", "run", "exit 0")
    with pytest.raises(AssertionError, match="say run"):
        _play(folder, "sh", "chainlab runs\n")
    with pytest.raises(ConfigError):
        _play(folder, "toml", "modelz = 1\n")


def test_a_refusal_with_another_code_fails(folder: Path) -> None:
    text = "from chainlab import chain\n@chain\ndef f(x: str) -> str:\n    return x if x else 'y'\n"
    _play(folder, "python", text, "refused", "ref-bool")
    with pytest.raises(AssertionError, match="planted"):
        _play(folder, "python", text, "refused", "ref-len")


# faults.md


def _rows(path: str, columns: int) -> list[list[str]]:
    lines = (ROOT / "docs" / path).read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return [row for row in cells if len(row) == columns]


def test_the_table_of_retries_is_the_policy() -> None:
    rows = {row[1].strip("`"): row for row in _rows("faults.md", 5) if row[1].startswith("`")}
    tries = {"own": None, **{str(number): number for number in range(10)}}
    assert {code: tries[row[2]] for code, row in rows.items() if row[2] != "0"} == policy.RETRIES
    for code, (_, _, tried, wait, another) in rows.items():
        assert (another == "no") == (code in policy.NOT_ELSEWHERE), code
        assert (wait == "") == (tried == "0"), code
        assert (wait == "none") == (code in policy.AT_ONCE), code
    assert set(rows) >= policy.AT_ONCE | policy.DRAWS_ON_BUDGET | (policy.NOT_ELSEWHERE - {"template-value"})
    assert {code for fault in (*BOTH, *PLAIN, *STREAMED) if (code := fault.code)} <= set(rows)


def test_every_fault_is_in_the_comparison() -> None:
    rows = {row[0]: (row[1], row[2]) for row in _rows("faults.md", 5) if row[0].startswith(("plain: ", "streamed: "))}
    both = [(f"{mode}: {fault.name}", fault) for mode in ("plain", "streamed") for fault in BOTH]
    both += [(f"plain: {fault.name}", fault) for fault in PLAIN]
    both += [(f"streamed: {fault.name}", fault) for fault in STREAMED]
    assert rows == {name: (fault.code or "ok", str(fault.requests)) for name, fault in both}
