"""Opening: new, current, old and newer databases, and every file that is none."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from chainlab.errors import StoreError
from chainlab.store.connection import APPLICATION_ID
from chainlab.store.migrations import VERSION, VERSIONS
from chainlab.store.schema import metadata
from chainlab.store.store import Store
from chainlab.values.codec import decode
from tests.store import facts

DUMPS = Path(__file__).parent / "databases"


def shape(path: Path) -> dict[str, tuple[tuple[object, ...], ...]]:
    """Columns, indexes and views of a database, whatever the order they were made in."""
    connection = sqlite3.connect(path)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
        found = {name: tuple(connection.execute(f"PRAGMA table_info({name})")) for name in names}
        found["indexes"] = tuple(
            sorted(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        )
        return found
    finally:
        connection.close()


def count_steps(path: Path) -> int:
    connection = sqlite3.connect(path)
    count: int = connection.execute("SELECT count(*) FROM steps").fetchone()[0]
    connection.close()
    return count


def problem_of(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    return caught.value


def run_python(code: str, *args: object, cwd: Path) -> str:
    done = subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_code_knows_the_newest_version_there_is() -> None:
    from alembic.script import ScriptDirectory

    head = ScriptDirectory(str(VERSIONS)).get_current_head()
    assert head is not None
    assert int(head) == VERSION


def test_a_new_database_is_the_same_as_the_metadata(tmp_path: Path) -> None:
    import sqlalchemy as sa
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    Store.open(tmp_path / "t.db").close()
    engine = sa.create_engine(f"sqlite:///{tmp_path}/t.db")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


@pytest.mark.parametrize("dump", sorted(DUMPS.glob("v*.sql")), ids=lambda path: path.stem)
def test_every_released_version_becomes_the_same_as_a_new_database(tmp_path: Path, dump: Path) -> None:
    old = sqlite3.connect(tmp_path / "old.db")
    old.executescript(dump.read_text())
    old.close()
    before = count_steps(tmp_path / "old.db")

    with Store.open(tmp_path / "old.db") as store:
        run = store.reader.runs()[0]
        assert (run.chain, run.status) == ("brief", "ok")
        step = store.reader.step(run.id, "draft")
        assert step is not None
        (attempt,) = step.attempts
        asked = "".join(part.text for part in attempt.messages[1].segments)
        assert (asked, attempt.reply_text) == (f"Summarise: {facts.LONG}\nAbout dogs", "reply")
        assert step.output is not None and decode(step.output.text or "") == facts.LONG
    Store.open(tmp_path / "new.db").close()

    assert shape(tmp_path / "old.db") == shape(tmp_path / "new.db")
    assert count_steps(tmp_path / "old.db") == before == 2


def test_there_is_a_dump_of_every_version() -> None:
    assert {path.stem for path in DUMPS.glob("v*.sql")} == {f"v{number}" for number in range(1, VERSION + 1)}


def test_a_database_newer_than_the_code_is_refused(tmp_path: Path) -> None:
    Store.open(tmp_path / "t.db").close()
    connection = sqlite3.connect(tmp_path / "t.db")
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    problem = problem_of(tmp_path / "t.db")
    assert problem.code == "store-newer"
    assert "pip install --upgrade chainlab" in problem.remedy


def test_opening_a_current_database_imports_neither_alembic_nor_sqlalchemy(tmp_path: Path) -> None:
    Store.open(tmp_path / "t.db").close()
    code = (
        "import sys; from chainlab.store.migrate import ensure; from chainlab.store.reader import SqliteReader\n"
        "from pathlib import Path; before = set(sys.modules)\n"
        "ensure(Path(sys.argv[1])); SqliteReader(Path(sys.argv[1])).runs()\n"
        "print(sorted({m.split('.')[0] for m in set(sys.modules)} & {'alembic', 'mako'}),\n"
        "      'sqlalchemy' in {m.split('.')[0] for m in set(sys.modules) - before})"
    )
    assert run_python(code, tmp_path / "t.db", cwd=Path.cwd()).strip() == "[] False"


def test_a_new_file_is_private_and_says_whose_it_is(tmp_path: Path) -> None:
    Store.open(tmp_path / "t.db").close()
    assert os.stat(tmp_path / "t.db").st_mode & 0o777 == 0o600
    connection = sqlite3.connect(tmp_path / "t.db")
    pragmas = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "journal_mode")]
    assert pragmas == [4096, "wal"]
    assert connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    connection.close()


def test_the_default_folder_is_made_and_keeps_itself_out_of_git(tmp_path: Path) -> None:
    Store.open(tmp_path / ".chainlab" / "traces.db").close()
    assert (tmp_path / ".chainlab" / ".gitignore").read_text() == "*\n"


def test_any_other_missing_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    problem = problem_of(tmp_path / "nowhere" / "t.db")
    assert problem.code == "store-no-folder"
    assert str(tmp_path / "nowhere") in problem.message
    assert "mkdir -p" in problem.remedy


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "t.db").write_text("Dear diary, " * 100)
    assert problem_of(tmp_path / "t.db").code == "store-not-a-database"
    assert (tmp_path / "t.db").read_text() == "Dear diary, " * 100


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "t.db")
    connection.execute("CREATE TABLE customers (id)")
    connection.close()
    assert problem_of(tmp_path / "t.db").code == "store-not-a-database"
    assert set(shape(tmp_path / "t.db")) == {"customers", "indexes"}


def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    assert problem_of(tmp_path).code == "store-not-a-database"


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert problem_of(tmp_path / "file" / "t.db").code == "store-no-folder"


def test_a_file_whose_path_has_odd_characters_opens(tmp_path: Path) -> None:
    folder = tmp_path / "50% of #1? ünï"
    folder.mkdir()
    with Store.open(folder / "t&r=1.db") as store:
        store.journal()
        assert store.reader.runs() == ()


def test_three_processes_may_create_one_file_at_once(tmp_path: Path) -> None:
    code = "import sys; from chainlab.store.store import Store; Store.open(sys.argv[1]).journal().close()"
    three = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "t.db")]) for _ in range(3)]
    assert [process.wait() for process in three] == [0, 0, 0]
    connection = sqlite3.connect(tmp_path / "t.db")
    assert connection.execute("SELECT (SELECT count(*) FROM store), (SELECT count(*) FROM processes)").fetchone() == (
        1,
        3,
    )
    connection.close()


def test_the_versions_ship_in_the_wheel() -> None:
    import chainlab.store.migrations as migrations

    assert [path.name for path in sorted((VERSIONS / "versions").glob("v*.py"))] == [
        "v0001_tables.py",
        "v0002_tombstones.py",
        "v0003_batches.py",
        "v0004_results.py",
        "v0005_small_requests.py",
    ]
    assert Path(migrations.__file__).parent == VERSIONS
