"""How a JSON Schema is walked: refs, unions, `$defs` and names. Private to `spec/`; knows no question a caller may ask.

A node is a schema that may point into `$defs`; `At` keeps it together with them, so that nothing points into the void.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from chainlab.values.codec import Json

Node: TypeAlias = Mapping[str, Any]
_REF = "#/$defs/"
_NULL: Node = {"type": "null"}
_UNKNOWN: Node = {}
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"})
_FORMATS = {
    "date-time": "datetime",
    "date": "date",
    "time": "time",
    "duration": "timedelta",
    "uuid": "UUID",
    "path": "Path",
    "binary": "bytes",
    "base64url": "bytes",
}
_NAMES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_MOST_LABELS = 12


class At(NamedTuple):
    """A node and the definitions that it may point to."""

    node: Node
    defs: Mapping[str, Any]

    def of(self, node: Any) -> At:
        """Another node with the same definitions. `true`, and whatever is no schema, is the unknown type."""
        return At(node if isinstance(node, Mapping) else _UNKNOWN, self.defs)


def enter(schema: Node) -> At:
    """A self-contained schema as a place to walk from."""
    defs = schema.get("$defs")
    if not isinstance(defs, Mapping):
        return At(schema, {})
    return At({key: value for key, value in schema.items() if key != "$defs"}, defs)


def leave(at: At) -> dict[str, Any]:
    """The node as a self-contained schema: with the definitions that it needs, and no others."""
    needed: dict[str, Any] = {}
    todo = list(_refs(at.node))
    while todo:
        name = todo.pop()
        if name in needed or name not in at.defs:
            continue
        needed[name] = at.defs[name]
        todo.extend(_refs(at.defs[name]))
    if not needed:
        return dict(at.node)
    return {**at.node, "$defs": {name: body for name, body in at.defs.items() if name in needed}}


def bare(node: Node) -> Node:
    """A field's node without what is said about the field (title, default, description); a model keeps its name."""
    kept = "title" if "properties" in node else ""
    return {key: value for key, value in node.items() if key not in _ANNOTATIONS or key == kept}


def members(at: At) -> list[At]:
    """The alternatives of a type, each without ref and union; an empty node is an alternative that cannot be known."""
    return _distinct(_members(at, frozenset())) or [at.of({})]


def _members(at: At, seen: frozenset[str]) -> list[At]:
    node, defs = at
    if "$ref" in node:
        name = _ref_name(node["$ref"])
        if name is None or name not in defs:
            return [At({}, defs)]
        return [] if name in seen else _members(at.of(defs[name]), seen | {name})
    for key in ("anyOf", "oneOf"):
        if isinstance(node.get(key), Sequence):
            return [found for option in node[key] for found in _members(at.of(option), seen)]
    if "allOf" in node:
        parts = node["allOf"]
        return _members(at.of(parts[0]), seen) if len(parts) == 1 and "properties" not in node else [At({}, defs)]
    return [At(part, defs) for part in _split(node)]


def _split(node: Node) -> list[Node]:
    # What one node says about several types, as one node per type; None always stands alone.
    if node.get("nullable") is True:
        return [*_split({key: value for key, value in node.items() if key != "nullable"}), _NULL]
    if "const" in node:
        return [_NULL] if node["const"] is None else [node]
    if isinstance(node.get("enum"), Sequence):
        values = [value for value in node["enum"] if value is not None]
        rest: list[Node] = [{**node, "enum": values}] if values else []
        return [*rest, _NULL] if len(values) < len(node["enum"]) else [node]
    if isinstance(node.get("type"), list):
        return [_NULL if one == "null" else {**node, "type": one} for one in node["type"]]
    return [node]


def _distinct(found: list[At]) -> list[At]:
    kept: list[At] = []
    for at in found:
        if not any(at.node == other.node for other in kept):
            kept.append(at)
    return kept


def kind(node: Node) -> str:
    """The JSON type of a node without ref and union; '' when it is not said."""
    said = node.get("type")
    if isinstance(said, str):
        return said
    if "properties" in node or "additionalProperties" in node:
        return "object"
    return "array" if "items" in node or "prefixItems" in node else ""


def kind_of(value: Json) -> str:
    """The JSON Schema type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case Mapping():
            return "object"
        case _:
            return "array"


def closed(node: Node) -> tuple[Json, ...] | None:
    """The values of a Literal, an enum, bool or None, else None."""
    if "const" in node:
        return (node["const"],)
    if isinstance(node.get("enum"), Sequence):
        return tuple(node["enum"])
    return {"boolean": (True, False), "null": (None,)}.get(kind(node))


def same(a: Json, b: Json) -> bool:
    """Equality as JSON has it: 1 is not true."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


def open_ended(node: Node) -> bool:
    """Whether an object type may hold fields that it does not name. A model says nothing when it may not."""
    if "patternProperties" in node:
        return True
    return node.get("additionalProperties", "properties" not in node) is not False


def length(node: Node) -> tuple[int, int | None]:
    """The fewest and the most items of an array type."""
    most = node.get("maxItems")
    if "prefixItems" in node and node.get("items") is False:
        most = len(node["prefixItems"]) if most is None else min(most, len(node["prefixItems"]))
    return int(node.get("minItems", 0)), most


def gather(schemas: Iterable[Node]) -> tuple[list[Node], dict[str, Any]]:
    """Several schemas over one set of definitions. Different definitions of one name are kept apart by renaming."""
    nodes: list[Node] = []
    defs: dict[str, Any] = {}
    for schema in schemas:
        at = enter(schema)
        renamed = _clashes(at.defs, defs)
        nodes.append(_rename(at.node, renamed))
        for name, body in at.defs.items():
            defs.setdefault(renamed.get(name, name), _rename(body, renamed))
    return nodes, defs


def _clashes(new: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, str]:
    clashing = {name for name, body in new.items() if name in known and known[name] != body}
    if not clashing:
        return {}
    grown = True
    while grown:  # what points to a renamed definition reads differently too
        more = {name for name in new.keys() - clashing if not clashing.isdisjoint(_refs(new[name]))}
        clashing |= more
        grown = bool(more)
    renamed: dict[str, str] = {}
    for name in sorted(clashing):
        n = 2
        while f"{name}__{n}" in known or f"{name}__{n}" in new:
            n += 1
        renamed[name] = f"{name}__{n}"
    return renamed


def _rename(data: Any, names: Mapping[str, str], refs: bool = False) -> Any:
    # `refs`: a string found here is a ref (the value of `$ref`, or one in a discriminator's `mapping`).
    if not names:
        return data
    if isinstance(data, Mapping):
        return {key: _rename(value, names, refs or key in ("$ref", "mapping")) for key, value in data.items()}
    if isinstance(data, list):
        return [_rename(item, names) for item in data]
    name = _ref_name(data) if refs else None
    return _REF + names[name] if name is not None and name in names else data


def _refs(data: Any) -> Iterator[str]:
    if isinstance(data, Mapping):
        name = _ref_name(data.get("$ref"))
        if name is not None:
            yield name
        for value in data.values():
            yield from _refs(value)
    elif isinstance(data, list):
        for item in data:
            yield from _refs(item)


def _ref_name(ref: Any) -> str | None:
    return ref[len(_REF) :] if isinstance(ref, str) and ref.startswith(_REF) else None


def spell(at: At, seen: frozenset[str] = frozenset()) -> str:
    """The type as Python would write it."""
    node = at.node
    if "$ref" in node:
        name = _ref_name(node["$ref"])
        if name is None or name not in at.defs:
            return "Any"
        body = at.defs[name]
        if "properties" in body or "enum" in body or name in seen:
            return str(body.get("title", name))
        return spell(at.of(body), seen | {name})
    for key in ("anyOf", "oneOf"):
        if isinstance(node.get(key), Sequence):
            return _either([spell(at.of(option), seen) for option in node[key]])
    parts = _split(node)
    if len(parts) > 1:
        return _either([spell(at.of(part), seen) for part in parts])
    if "allOf" in node and len(node["allOf"]) == 1:
        return spell(at.of(node["allOf"][0]), seen)
    return _spell_one(at.of(parts[0]), seen)


def _either(names: list[str]) -> str:
    parts = [part for name in names for part in (name.removesuffix(" | None"), "None" if name.endswith("None") else "")]
    unique = dict.fromkeys(part for part in parts if part not in ("", "None"))
    return " | ".join([*unique, *(["None"] if "None" in parts else [])]) or "Any"


def _spell_one(at: At, seen: frozenset[str]) -> str:
    node = at.node
    if "const" in node or "enum" in node:
        return _literal(closed(node) or ())
    match kind(node):
        case "array":
            return _spell_array(at, seen)
        case "object":
            return _spell_object(at, seen)
        case "string":
            return _FORMATS.get(node.get("format", ""), "str")
        case simple:
            return _NAMES.get(simple, "Any")


def _literal(values: tuple[Json, ...]) -> str:
    if values == (None,):
        return "None"
    shown = [repr(value) for value in values[:_MOST_LABELS]] + (["..."] if len(values) > _MOST_LABELS else [])
    return f"Literal[{', '.join(shown)}]"


def _spell_array(at: At, seen: frozenset[str]) -> str:
    node = at.node
    if "prefixItems" in node:
        parts = [spell(at.of(part), seen) for part in node["prefixItems"]]
        return f"tuple[{', '.join(parts)}]"
    if node.get("maxItems") == 0:
        return "tuple[()]"
    name = "set" if node.get("uniqueItems") else "list"
    return f"{name}[{spell(at.of(node.get('items')), seen)}]"


def _spell_object(at: At, seen: frozenset[str]) -> str:
    node = at.node
    if "properties" in node:
        if "title" in node:
            return str(node["title"])
        fields = [f"{name!r}: {spell(at.of(field), seen)}" for name, field in node["properties"].items()]
        return "{" + ", ".join(fields) + "}"
    keys = at.of(node.get("propertyNames"))
    key = spell(keys, seen) if "enum" in keys.node or "$ref" in keys.node else "str"
    return f"dict[{key}, {spell(at.of(node.get('additionalProperties')), seen)}]"
