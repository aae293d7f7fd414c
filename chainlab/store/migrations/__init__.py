"""Brings a database to this code's version. Alembic is imported only when there is something to do; knows no file.

`VERSION` is what this code reads and writes. A version is one file in `versions/`, named by Alembic's revision `0001`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chainlab.store import views

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION = 5

VERSIONS = Path(__file__).parent


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the missing versions in the connection's transaction and make the views anew. The caller commits."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import RevisionStep, StampStep
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(VERSIONS))

    def missing(revision: object, context: object) -> list[RevisionStep | StampStep]:
        return list(scripts._upgrade_revs(to, revision))  # type: ignore[arg-type]  # what alembic's own upgrade command calls

    for name in reversed(views.NAMES):
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
    with EnvironmentContext(Config(), scripts, fn=missing) as environment:
        environment.configure(connection=connection)
        environment.run_migrations()
    dialect: views.Dialect = "postgresql" if connection.dialect.name == "postgresql" else "sqlite"
    for statement in views.statements(dialect):
        connection.exec_driver_sql(statement.replace("%", "%%") if dialect == "postgresql" else statement)
