"""Questions about types, asked of JSON Schema alone: fields, items, labels, whether one type may stand for another.

A Schema is a self-contained JSON Schema. What cannot be known (no type, `additionalProperties`, an unsupported
keyword) is let pass: these functions never raise a false alarm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from chainlab.spec._shape import (
    At,
    bare,
    closed,
    enter,
    gather,
    kind,
    kind_of,
    leave,
    length,
    members,
    open_ended,
    same,
    spell,
)
from chainlab.values.codec import Json

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NoField:
    """A field that a type does not have. `known` are the names it has; `reason` says more where that helps."""

    field: str | int
    type: str
    known: tuple[str, ...] = ()
    reason: str = ""


class Mismatch(NamedTuple):
    """Why a produced type cannot stand where another is wanted. `where` is the path below it, '' for the whole."""

    where: str
    expected: str
    got: str


def child(schema: Schema, key: str | int) -> Schema | NoField:
    """The type of a field, key, or index of a value of this type; {} when it cannot be known.

    Of a union, every member must have it. A value that may be None has no fields.
    """
    options = members(enter(schema))
    if len(options) > 1 and any(kind(at.node) == "null" for at in options):
        return NoField(key, describe(schema), reason="it may be None: narrow it with `given(value, then=...)` first")
    found = [_child(at, key) for at in options]
    missing = [one for one in found if isinstance(one, NoField)]
    if not missing:
        return union(*(leave(one) for one in found if isinstance(one, At)))
    if len(options) == 1:
        return missing[0]
    known = tuple(name for name in fields(schema) if all(name in fields(leave(at)) for at in options))
    return NoField(key, describe(schema), known, f"{missing[0].type} has no such field; every member of a union must")


def fields(schema: Schema) -> tuple[str, ...]:
    """The names of all fields that a value of this type may have, as far as the type names them."""
    return tuple(dict.fromkeys(name for at in members(enter(schema)) for name in at.node.get("properties", ())))


def alternatives(schema: Schema) -> tuple[Schema, ...]:
    """The members of a union, None among them, refs followed; the type alone when it is no union."""
    return tuple(leave(at) for at in members(enter(schema)))


def _child(at: At, key: str | int) -> At | NoField:
    match kind(at.node):
        case "":
            return at.of({}) if closed(at.node) is None else NoField(key, spell(at), reason="it has no fields")
        case "object":
            return _field(at, key)
        case "array":
            return _element(at, key)
        case _:
            return NoField(key, spell(at), reason="it has no fields")


def _field(at: At, key: str | int) -> At | NoField:
    node, properties = at.node, at.node.get("properties", {})
    if not isinstance(key, str):
        return NoField(key, spell(at), tuple(properties), f"its keys are text: [{str(key)!r}]")
    if key in properties:
        return at.of(bare(at.of(properties[key]).node))
    names = closed(members(at.of(node.get("propertyNames")))[0].node)
    if not open_ended(node) or (names is not None and key not in names):
        return NoField(key, spell(at), tuple(properties) or tuple(str(name) for name in names or ()))
    return at.of({} if "patternProperties" in node else node.get("additionalProperties"))


def _element(at: At, key: str | int) -> At | NoField:
    node = at.node
    prefix = node.get("prefixItems", ())
    fewest, most = length(node)
    if isinstance(key, str):
        return NoField(key, spell(at), reason="it is a list: take an index, or go through it with `each`")
    if most is not None and not -most <= key < most:
        return NoField(key, spell(at), reason=f"it has {most} item{'s' if most != 1 else ''}")
    if key < 0 and prefix:
        if fewest == most == len(prefix):
            return at.of(prefix[key])
        return at.of(item(leave(at)))
    return at.of(prefix[key] if 0 <= key < len(prefix) else node.get("items"))


def item(schema: Schema) -> Schema | None:
    """The item type of a list type (for tuples: the union); {} when unknown; None when the type is not a list."""
    found: list[Schema] = []
    for at in members(enter(schema)):
        node = at.node
        if kind(node) not in ("array", "") or (kind(node) == "" and closed(node) is not None):
            return None
        parts = list(node.get("prefixItems", ()))
        if not parts or isinstance(node.get("items"), Mapping):
            parts.append(node.get("items"))
        found += [leave(at.of(part)) for part in parts]
    return union(*found)


def assignable(got: Schema, expected: Schema) -> Mismatch | None:
    """None when every value of type `got` may stand where `expected` is wanted, else the first reason why not.

    A matter of types, as a type checker sees it: limits (`minLength`, `ge=`, formats) are left to validation.
    In `where`, `[]` is any item of a list and `[key]` any value of a dict.
    """
    return _Fit().fit(enter(got), enter(expected))


class _Fit:
    """One comparison; remembers the pairs it has seen, so that recursive types end."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Mismatch | None] = {}

    def fit(self, got: At, expected: At) -> Mismatch | None:
        pair = id(got.node), id(expected.node)
        if pair not in self._known:
            self._known[pair] = None  # a pair met again inside itself fits as far as it goes
            self._known[pair] = self._members(got, expected)
        return self._known[pair]

    def _members(self, got: At, expected: At) -> Mismatch | None:
        options = members(expected)
        for mine in members(got):
            misses = [self._one(mine, option) for option in options]
            if None in misses:
                continue
            close = [miss for miss, option in zip(misses, options, strict=True) if kind(option.node) == kind(mine.node)]
            if len(close) == 1 and close[0] is not None and close[0].where:
                return close[0]
            return Mismatch("", spell(expected), spell(got))
        return None

    def _one(self, got: At, expected: At) -> Mismatch | None:
        have, want = kind(got.node), kind(expected.node)
        values, wanted = closed(got.node), closed(expected.node)
        if values is None and not have:
            return None
        fits = True
        if wanted is not None:
            fits = values is not None and all(any(same(value, one) for one in wanted) for value in values)
        elif values is not None:
            fits = all(_kind_fits(kind_of(value), want) for value in values)
        elif not _kind_fits(have, want):
            fits = False
        elif want == "object":
            return self._objects(got, expected)
        elif want == "array":
            return self._arrays(got, expected)
        return None if fits else Mismatch("", spell(expected), spell(got))

    def _objects(self, got: At, expected: At) -> Mismatch | None:
        mine: Mapping[str, Any] = got.node.get("properties", {})
        wanted: Mapping[str, Any] = expected.node.get("properties", {})
        for name, node in wanted.items():
            if name in mine or open_ended(got.node):
                miss = self.fit(got.of(mine.get(name, _rest(got.node))), expected.of(node))
            elif name in expected.node.get("required", ()) and not expected.of(node).node.get("readOnly"):
                miss = Mismatch("", spell(expected.of(node)), f"{spell(got)} has no such field")
            else:
                continue
            if miss is not None:
                return _below(f".{name}", miss)
        return self._others(got, expected, [name for name in mine if name not in wanted])

    def _others(self, got: At, expected: At, names: list[str]) -> Mismatch | None:
        # The fields of `got` that `expected` does not name.
        rest = expected.of(_rest(expected.node))
        for name in names:
            if expected.node.get("additionalProperties") is False:
                if name in got.node.get("required", ()) and "patternProperties" not in expected.node:
                    mine = spell(got.of(got.node["properties"][name]))
                    return Mismatch(f".{name}", f"{spell(expected)} has no such field", mine)
                continue
            miss = self.fit(got.of(got.node["properties"][name]), rest)
            if miss is not None:
                return _below(f".{name}", miss)
        miss = self.fit(got.of(_rest(got.node)), rest) if open_ended(got.node) else None
        return None if miss is None else _below("[key]", miss)

    def _arrays(self, got: At, expected: At) -> Mismatch | None:
        mine, wanted = got.node.get("prefixItems", ()), expected.node.get("prefixItems", ())
        (fewest, most), (least, limit) = length(got.node), length(expected.node)
        too_few = most is not None and most < least
        too_many = limit is not None and fewest > limit
        unsure = bool(wanted) and not mine and limit is not None and (most is None or most > limit or fewest < least)
        if too_few or too_many or unsure:
            return Mismatch("", spell(expected), spell(got))
        for i in range(max(len(mine), len(wanted))):
            miss = self.fit(_nth(got, i), _nth(expected, i))
            if miss is not None:
                return _below(f"[{i}]" if mine else "[]", miss)
        if (mine and "items" not in got.node) or (wanted and "items" not in expected.node):
            return None
        miss = self.fit(got.of(got.node.get("items")), expected.of(expected.node.get("items")))
        return None if miss is None else _below("[]", miss)


def _kind_fits(have: str, want: str) -> bool:
    return want in ("", have) or (have == "integer" and want == "number")


def _rest(node: Mapping[str, Any]) -> Any:
    return {} if "patternProperties" in node else node.get("additionalProperties")


def _nth(at: At, i: int) -> At:
    prefix = at.node.get("prefixItems", ())
    return at.of(prefix[i] if i < len(prefix) else at.node.get("items"))


def _below(where: str, miss: Mismatch) -> Mismatch:
    return Mismatch(where + miss.where, miss.expected, miss.got)


def describe(schema: Schema) -> str:
    """The type as Python would write it: `list[Summary]`, `Literal['bug', 'billing'] | None`."""
    return spell(enter(schema))


def nullable(schema: Schema) -> bool:
    """Whether None is a value of this type. True when it cannot be known."""
    return any(kind(at.node) == "null" or _unknown(at) for at in members(enter(schema)))


def without_null(schema: Schema) -> Schema:
    """The type without None."""
    options = members(enter(schema))
    rest = [at for at in options if kind(at.node) != "null"]
    if len(rest) == len(options):
        return schema
    return union(*(_named(schema, at) for at in rest))


def labels(schema: Schema) -> tuple[Json, ...] | None:
    """Every value of a closed type (Literal, enum, bool, None), else None."""
    found: list[Json] = []
    for at in members(enter(schema)):
        values = closed(at.node)
        if values is None:
            return None
        found += [value for value in values if not any(same(value, other) for other in found)]
    return tuple(found)


def list_of(schema: Schema) -> Schema:
    """The type of a list of these."""
    at = enter(schema)
    return leave(At({"type": "array", "items": at.node}, at.defs))


def tuple_of(*schemas: Schema) -> Schema:
    """The type of a list of exactly these parts."""
    nodes, defs = gather(schemas)
    return leave(At({"type": "array", "prefixItems": nodes, "minItems": len(nodes), "maxItems": len(nodes)}, defs))


def optional(schema: Schema) -> Schema:
    """This type or None."""
    return schema if nullable(schema) else union(schema, {"type": "null"})


def union(*schemas: Schema) -> Schema:
    """Any of these types, without repeats; {} when one of them cannot be known."""
    if len(schemas) == 1:
        return schemas[0]
    nodes, defs = gather(schemas)
    options: list[Mapping[str, Any]] = []
    for node in nodes:
        inner = node.get("anyOf")
        for option in inner if inner and not node.keys() & {"type", "properties", "nullable"} else [node]:
            if not any(bare(option) == bare(other) for other in options):
                options.append(option)
    if any(_unknown(at) for option in options for at in members(At(option, defs))):
        return {}
    if len(options) == 1:
        return leave(At(options[0], defs))
    return leave(At({"anyOf": options}, defs)) if options else {}


def object_of(fields: Mapping[str, Schema], title: str | None = None) -> Schema:
    """The type of an object with exactly these required fields."""
    nodes, defs = gather(fields.values())
    properties = dict(zip(fields, nodes, strict=True))
    node: dict[str, Any] = {"type": "object", "properties": properties, "required": list(fields)}
    if title is not None:
        node["title"] = title
    return leave(At({**node, "additionalProperties": False}, defs))


def _unknown(at: At) -> bool:
    return kind(at.node) == "" and closed(at.node) is None


def _named(schema: Schema, at: At) -> Schema:
    # The member as the union wrote it: through its ref where there was one, so that it keeps its name.
    outer = enter(schema)
    for key in ("anyOf", "oneOf"):
        for option in outer.node.get(key, ()):
            if [other.node for other in members(outer.of(option))] == [at.node]:
                return leave(outer.of(option))
    return leave(at)
