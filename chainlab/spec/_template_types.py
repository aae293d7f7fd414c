"""What a template can do with a value of a type: fields, items, what methods and filters give. Private to `spec/`.

A union gives an error only when no member can do it; None is let pass, since a template guards it at run time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from jinja2.sandbox import modifies_known_mutable

from chainlab.spec._jinja import DICT_METHODS
from chainlab.spec._shape import kind, kind_of, open_ended
from chainlab.spec.schema import (
    NoField,
    Schema,
    alternatives,
    child,
    describe,
    fields,
    item,
    list_of,
    object_of,
    optional,
    tuple_of,
    union,
)

UNKNOWN: Schema = {}
STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}

_SAMPLES: Mapping[str, object] = {"string": "", "integer": 0, "number": 0.0, "boolean": True, "array": []}
_GIVES_TEXT = frozenset(
    "capitalize casefold center expandtabs format join ljust lower lstrip removeprefix removesuffix replace rjust "
    "rstrip strip swapcase title translate upper zfill".split()
)
_GIVES_TEXTS = frozenset({"split", "rsplit", "splitlines"})


class Method(NamedTuple):
    """A method of a value. `sure`: no field of that name can be there at run time."""

    owner: Schema
    name: str
    sure: bool = True


def field(owner: Schema, key: str | int, *, attribute: bool = False) -> Schema | Method | NoField:
    """What `owner.key` (an attribute) or `owner[key]` is; NoField when no member of the type has it."""
    found: list[Schema | Method] = []
    for option in alternatives(owner):
        if kind(option) != "null":
            one = _member_field(option, key, attribute)
            found += [] if isinstance(one, NoField) else [one]
    if not found:
        return NoField(key, describe(owner), fields(owner))
    methods = [one for one in found if isinstance(one, Method)]
    if len(methods) == len(found):
        return methods[0]
    return union(*(one for one in found if not isinstance(one, Method))) if not methods else UNKNOWN


def _member_field(option: Schema, key: str | int, attribute: bool) -> Schema | Method | NoField:
    name = kind(option)
    if name == "object":
        return _object_field(option, key, attribute)
    if isinstance(key, int):
        return STRING if name == "string" else child(option, key)
    if name in _SAMPLES:
        return _python_attribute(option, _SAMPLES[name], key)
    return child(option, key)


def _object_field(option: Schema, key: str | int, attribute: bool) -> Schema | Method | NoField:
    found = child(option, key)
    if attribute and key in DICT_METHODS and key not in option.get("properties", ()):
        return Method(option, str(key), sure=isinstance(found, NoField))
    return found


def _python_attribute(option: Schema, sample: object, key: str) -> Schema | Method | NoField:
    if key.startswith("_") or not hasattr(sample, key) or modifies_known_mutable(sample, key):
        return NoField(key, describe(option))
    return Method(option, key) if callable(getattr(sample, key)) else UNKNOWN


def iterate(owner: Schema) -> Schema | None:
    """What a loop over the value gives: items, keys, letters; None when there is nothing to loop over."""
    found: list[Schema] = []
    for option in alternatives(owner):
        match kind(option):
            case "object" | "string":
                found.append(STRING)
            case "integer" | "number" | "boolean" | "null":
                continue
            case _:
                found.append(item(option) or UNKNOWN)
    return union(*found) if found else None


def subscript(owner: Schema) -> Schema | None:
    """What `owner[i]` is when `i` is only known at run time; None when the value cannot be indexed."""
    found: list[Schema] = []
    for option in alternatives(owner):
        match kind(option):
            case "object":
                found.append(values_of(option))
            case "string":
                found.append(STRING)
            case "integer" | "number" | "boolean" | "null":
                continue
            case _:
                found.append(item(option) or UNKNOWN)
    return union(*found) if found else None


def sliced(owner: Schema) -> Schema | None:
    """What `owner[a:b]` is; None when the value cannot be sliced."""
    found: list[Schema] = []
    for option in alternatives(owner):
        match kind(option):
            case "string":
                found.append(STRING)
            case "array":
                found.append(list_of(item(option) or UNKNOWN))
            case "":
                found.append(UNKNOWN)
            case _:
                continue
    return union(*found) if found else None


def values_of(owner: Schema) -> Schema:
    """The type of any value of an object; {} when it cannot be known."""
    found: list[Schema] = []
    for option in alternatives(owner):
        if kind(option) == "null":
            continue
        if kind(option) != "object":
            return UNKNOWN
        if open_ended(option):
            found.append(_declared(child(option, "\0")))
        found += [_declared(child(option, name)) for name in fields(option)]
    return union(*found)


def _declared(found: Schema | NoField) -> Schema:
    return UNKNOWN if isinstance(found, NoField) else found


def pairs(owner: Schema) -> Schema:
    """What `.items()` gives."""
    return list_of(tuple_of(STRING, values_of(owner)))


def result(method: Method, key: object = None) -> Schema:
    """What calling a method gives; `key` is its first argument, where that is a constant."""
    if kind(method.owner) == "string":
        return STRING if method.name in _GIVES_TEXT else list_of(STRING) if method.name in _GIVES_TEXTS else UNKNOWN
    if kind(method.owner) != "object":
        return UNKNOWN
    match method.name:
        case "items":
            return pairs(method.owner)
        case "keys":
            return list_of(STRING)
        case "values":
            return list_of(values_of(method.owner))
        case _:
            found = child(method.owner, key) if isinstance(key, str) else UNKNOWN
            return optional(_declared(found))


def of_constant(value: object) -> Schema:
    """The type of a constant of a template."""
    return {"type": kind_of(value)}


def loop_fields(of: Schema) -> Schema:
    """What `loop.` has, in a loop over items of a type."""
    numbers = dict.fromkeys(("index", "index0", "revindex", "revindex0", "length", "depth", "depth0"), INTEGER)
    flags = dict.fromkeys(("first", "last"), BOOLEAN)
    rest = {"previtem": of, "nextitem": of, "cycle": UNKNOWN, "changed": UNKNOWN}
    return object_of({**numbers, **flags, **rest}, "loop")


Rule: TypeAlias = Callable[[Schema, Schema], Schema]
_TEXT_FILTERS = (
    "capitalize center e escape filesizeformat forceescape format indent join lower pprint replace safe string "
    "striptags title tojson trim truncate upper urlencode urlize wordwrap xmlattr"
)


def _rules() -> dict[str, Rule]:
    # What a filter gives, from what it is applied to and the items of that.
    rules: dict[str, Rule] = dict.fromkeys(_TEXT_FILTERS.split(), lambda whole, each: STRING)
    rules |= dict.fromkeys(("count", "length", "int", "wordcount"), lambda whole, each: INTEGER)
    rules |= dict.fromkeys(("float", "round"), lambda whole, each: NUMBER)
    rules |= dict.fromkeys(("first", "last", "max", "min", "random"), lambda whole, each: each)
    rules |= dict.fromkeys(("batch", "slice"), lambda whole, each: list_of(list_of(each)))
    rules |= dict.fromkeys(("dictsort", "items"), lambda whole, each: pairs(whole))
    same = "list reject rejectattr select selectattr sort unique"
    rules |= dict.fromkeys(same.split(), lambda whole, each: list_of(each))
    rules["map"] = rules["groupby"] = lambda whole, each: list_of(UNKNOWN)
    rules["reverse"] = lambda whole, each: STRING if kind(whole) == "string" else list_of(each)
    return rules


_RULES = _rules()
ITERATING = frozenset(
    "batch first groupby join last list map max min random reject rejectattr reverse select selectattr slice sort sum "
    "unique".split()
)


def filtered(name: str, whole: Schema) -> Schema:
    """What a filter gives; {} when it cannot be known."""
    rule = _RULES.get(name)
    return UNKNOWN if rule is None else rule(whole, iterate(whole) or UNKNOWN)


def plain(value: Any) -> Schema:
    """A type as a schema: methods, macros and loops are no JSON values."""
    return value if isinstance(value, Mapping) else UNKNOWN
