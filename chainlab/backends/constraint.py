"""What a reply is held to, out of its JSON Schema: JSON, one of some texts, a pattern, or a grammar. Pure.

And the forms that servers want it in: an object around what is none (`wrapped`), OpenAI's strict subset (`strict`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from chainlab.spec.reply import GRAMMAR
from chainlab.values.codec import Json, encode

Schema: TypeAlias = Mapping[str, Any]
Kind: TypeAlias = Literal["json", "choice", "regex", "grammar"]

_WRAP = "value"


@dataclass(frozen=True, slots=True)
class Constraint:
    """`value`: the schema, the texts, the pattern, or the grammar."""

    kind: Kind
    value: Any


def constraint_of(schema: Schema | None) -> Constraint | None:
    """What replies of this type are held to; None: text as it comes."""
    if schema is None:
        return None
    top = _resolved(schema)
    if top.get("type") == "string" and GRAMMAR in top:
        return Constraint("grammar", top[GRAMMAR])
    labels = [top["const"]] if "const" in top else top.get("enum")
    if labels is not None and all(isinstance(label, str) for label in labels):
        return Constraint("choice", list(labels))
    if top.get("type") == "string":
        return Constraint("regex", whole_text(top["pattern"])) if "pattern" in top else None
    return Constraint("json", dict(schema))


def whole_text(pattern: str) -> str:
    """The pattern of a whole text as servers take it: without the anchors, which they put there themselves."""
    if pattern.startswith("^(?:") and pattern.endswith(")$"):
        return pattern[4:-2]
    return pattern.removeprefix("^").removesuffix("$")


def _resolved(schema: Schema) -> Schema:
    """The schema behind a `$ref` at its top."""
    seen = 0
    top = schema
    while "$ref" in top and seen < 16:
        name = str(top["$ref"]).rsplit("/", 1)[-1]
        top = schema.get("$defs", {}).get(name, {})
        seen += 1
    return top


def is_object(schema: Schema) -> bool:
    """Whether every value is an object."""
    return _resolved(schema).get("type") == "object"


def wrapped(schema: Schema) -> dict[str, Any]:
    """An object with the value in it, for servers that want an object."""
    inner = {key: part for key, part in schema.items() if key != "$defs"}
    made: dict[str, Any] = {
        "type": "object",
        "properties": {_WRAP: inner},
        "required": [_WRAP],
        "additionalProperties": False,
    }
    if "title" in schema:
        made["title"] = schema["title"]
    if "$defs" in schema:
        made["$defs"] = schema["$defs"]
    return made


def unwrapped(text: str) -> str:
    """The value out of its object, as the reply would be without one; what is not in one is left alone."""
    try:
        data: Json = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(data, dict) or data.keys() != {_WRAP}:
        return text
    return plain(data[_WRAP])


def plain(value: Json) -> str:
    """A value as a model would write it: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else encode(value).decode()


def unquoted(text: str) -> str:
    """The text of a JSON string; what is none is left alone."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return data if isinstance(data, str) else text


_BEYOND = frozenset(
    "allOf not if then else dependentRequired dependentSchemas patternProperties propertyNames unevaluatedProperties "
    "unevaluatedItems contains prefixItems oneOf".split()
)


def strict(schema: Schema) -> dict[str, Any] | None:
    """The schema in the subset that OpenAI's strict mode takes: closed objects, every field required. None: it is not.

    Source: OpenAI, "Structured model outputs", supported schemas.
    """
    try:
        made: dict[str, Any] = _strict(schema)
    except _NotStrict:
        return None
    return made


class _NotStrict(Exception):
    pass


def _strict(part: Any, named: bool = False) -> Any:
    if isinstance(part, list):
        return [_strict(item) for item in part]
    if not isinstance(part, Mapping):
        return part
    if named:  # the author's names, not keywords
        return {name: _strict(item) for name, item in part.items()}
    if _BEYOND & part.keys():
        raise _NotStrict
    out = {
        key: value if key in ("const", "enum") else _strict(value, key in ("properties", "$defs"))
        for key, value in part.items()
        if key not in ("default", "examples", GRAMMAR)
    }
    if out.get("type") == "object" or "properties" in out:
        if "properties" not in out or out.get("additionalProperties", False) is not False:
            raise _NotStrict  # a free mapping
        out |= {"additionalProperties": False, "required": list(out["properties"])}
    return out
