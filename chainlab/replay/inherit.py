"""The edits by which a record was itself made: which of them still stand, where, and how new ones go on top. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chainlab.spec.chain import ChainSpec, walk
from chainlab.spec.edit import INPUT, Edit, Inherited, merged
from chainlab.spec.path import static_path
from chainlab.trace import RunRecord
from chainlab.values.codec import Json, Value


def inherited(record: RunRecord, spec: ChainSpec) -> list[Inherited]:
    """Edits of single items, and outputs by hand, under the paths that they have in this record.

    Other edits of declared steps stand in the record's own chain.
    """
    made_by = record.edits if isinstance(record.edits, dict) else {}
    known = {path for path, _ in walk(spec.steps)}
    rows = {row.path: row.inputs for row in record.steps}
    found = []
    for own in (False, True):
        for data in made_by.get("edits" if own else "inherited", ()):
            edit = Edit.model_validate(data["edit"])
            lasting = edit.sets_output or static_path(edit.step) != edit.step
            if not lasting or edit.step == INPUT or static_path(edit.step) not in known:
                continue
            inputs = {name: bytes.fromhex(text) for name, text in data["inputs"].items()}
            if own:  # where another edit changed what came to the item, it is known by what it got in this very run
                given = edit.inputs or {}
                inputs |= {name: hashed for name, hashed in rows.get(edit.step, {}).items() if name not in given}
            found.append(Inherited(edit, inputs))
    return _placed(found, record)


def _placed(found: list[Inherited], record: RunRecord) -> list[Inherited]:
    """An item may stand elsewhere by now: where a step of the record got what the edited item gets."""
    rows = {row.path: row.inputs for row in record.steps}
    free = dict(rows)
    places: dict[int, str] = {}
    for elsewhere in (False, True):
        for number, old in enumerate(found):
            path, static = old.edit.step, static_path(old.edit.step)
            if number in places or path == static:
                continue
            got = {**old.inputs, **{name: Value(value).hash for name, value in (old.edit.inputs or {}).items()}}
            paths = [at for at in free if static_path(at) == static] if elsewhere else [path]
            place = next((at for at in paths if free.get(at) == got), None)
            if place is not None:
                places[number] = place
                del free[place]
    return [
        Inherited(
            old.edit.model_copy(update={"step": places.get(number, old.edit.step)}),
            old.inputs,
            here=number in places or old.edit.step not in rows,
        )
        for number, old in enumerate(found)
    ]


def on_top(edits: Sequence[Edit], kept: Sequence[Inherited]) -> tuple[list[Edit], list[Inherited], list[str]]:
    """New edits, one per step, on top of inherited ones: the edits to apply, the inherited that stand, and notes.

    A new edit of an item adds to the one it has. A new edit of a declared step replaces those of its items, and the
    output that was set for the step: it is edited in order to run.
    """
    new = {edit.step: edit for edit in edits}
    left, notes = [], []
    for old in kept:
        path, static = old.edit.step, static_path(old.edit.step)
        if path != static and static in new:
            notes.append(f"{path}: the edit of this one alone is replaced by that of {static!r}")
        elif path in new and (old.here or path == static):
            new[path] = _added(old.edit, new[path])
        else:
            left.append(old)
    return list(new.values()), left, notes


def _added(old: Edit, new: Edit) -> Edit:
    alone = old.sets_output or new.sets_output or static_path(new.step) == new.step
    return new if alone else merged(old, new)


def said(edit: Edit, inputs: Mapping[str, bytes]) -> Json:
    """An edit as it is stored, with what its step gets: by that it is known again wherever its item stands."""
    return {"edit": edit.data(), "inputs": {name: hashed.hex() for name, hashed in inputs.items()}}
