"""The journal's SQL: written as SQLAlchemy Core, compiled once, run on the raw driver. Knows tables, no event.

The driver gets text and tuples: SQLAlchemy's own execution costs more than the commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from operator import itemgetter
from typing import Any, TypeAlias, cast

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from chainlab.store import schema

Row: TypeAlias = dict[str, Any]
_Names: TypeAlias = tuple[str, ...]
_Compiled: TypeAlias = "tuple[str, Callable[[Row], tuple[Any, ...]]]"

_DIALECT = sqlite.dialect(paramstyle="qmark")
_KEY = "key_"  # before a name in a row: the column says which row, and is not changed


class Statement:
    """A statement on a table, compiled once for every set of columns that have a value.

    The driver spends 0.4 µs on every None it binds: a third of the time that a step's rows took.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[frozenset[str]], sa.Insert | sa.Update]) -> None:
        self._make = make
        self._made: dict[_Names, _Compiled] = {}

    def run(self, connection: sqlite3.Connection, rows: Collection[Row]) -> int:
        """Run for every row; how many it made or changed. A column that a row lacks has its default, or stays."""
        made = self._made
        if len(rows) == 1:
            (row,) = rows
            names = tuple(row)
            sql, pick = made.get(names) or self._compile(names)
            return connection.execute(sql, pick(row)).rowcount
        changed = 0
        for names, some in _alike(rows):
            sql, pick = made.get(names) or self._compile(names)
            changed += connection.executemany(sql, map(pick, some)).rowcount
        return changed

    def _compile(self, names: _Names) -> _Compiled:
        compiled = self._make(frozenset(names)).compile(dialect=_DIALECT)
        made = self._made[names] = str(compiled), itemgetter(*cast("list[str]", compiled.positiontup))
        return made


def _alike(rows: Collection[Row]) -> Iterable[tuple[_Names, Collection[Row]]]:
    """Rows of the same columns together; mostly all are."""
    named = list(map(tuple, rows))
    if len(set(named)) == 1:
        return [(named[0], rows)]
    found: dict[_Names, list[Row]] = {}
    for names, row in zip(named, rows, strict=True):
        found.setdefault(names, []).append(row)
    return found.items()


def _replace(table: sa.Table) -> Callable[[frozenset[str]], sa.Insert]:
    # An upsert of all columns says the same, and takes twice as long.
    return lambda names: sqlite.insert(table).values(_binds(names)).prefix_with("OR REPLACE")


def _insert_new(table: sa.Table) -> Callable[[frozenset[str]], sa.Insert]:
    return lambda names: sqlite.insert(table).values(_binds(names)).on_conflict_do_nothing()


def _update(table: sa.Table, *, only: str | None = None) -> Callable[[frozenset[str]], sa.Update]:
    def make(names: frozenset[str]) -> sa.Update:
        statement = sa.update(table).values(_binds(name for name in names if not name.startswith(_KEY)))
        for key in table.primary_key:
            statement = statement.where(key == sa.bindparam(f"{_KEY}{key.name}"))
        if only is not None:
            statement = statement.where(table.c.status == sa.literal_column(f"'{only}'"))
        return statement

    return make


def _binds(names: Iterable[str]) -> Mapping[str, Any]:
    return {name: sa.bindparam(name) for name in names}


PAYLOAD = Statement(_insert_new(schema.payloads))
SPEC = Statement(_insert_new(schema.specs))
RUN = Statement(_insert_new(schema.runs))
RUN_TAG = Statement(_insert_new(schema.run_tags))
FINISH_RUN = Statement(_update(schema.runs))
STEP = Statement(_replace(schema.steps))
UPDATE_STEP = Statement(_update(schema.steps))
RESULT = Statement(_insert_new(schema.results))
STEP_INPUT = Statement(_replace(schema.step_inputs))
ATTEMPT = Statement(_insert_new(schema.attempts))
FINISH_ATTEMPT = Statement(_update(schema.attempts, only="running"))  # closed once, never rewritten
PROCESS = Statement(_insert_new(schema.processes))

SET_CHANGE = "UPDATE store SET change = ?"
TICK = "UPDATE store SET change = change + ? RETURNING change"
OURS = "SELECT id FROM runs WHERE process_id = ? AND id IN (SELECT value FROM json_each(?))"
SEEN = "UPDATE processes SET seen_at = ? WHERE id = ?"
ENDED = "UPDATE processes SET seen_at = ?, ended_at = ? WHERE id = ?"
