"""Python types as JSON Schema, and checking values against either. Knows no chain.

Where the author's class is at hand, its own validators decide (`accept_type`); where only the stored schema is, the
schema decides (`accept_schema`) and Python validators have not run.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError

from chainlab.values.codec import Json

Accept: TypeAlias = Callable[[Json], Json]
"""Gives the normalised JSON of a valid value; raises InvalidValue."""


class NoSchema(Exception):
    """A type that has no JSON Schema. The text says why."""


class InvalidValue(Exception):
    """A value that its type refuses. `problems` are (place, what is wrong), place '' for the whole."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{where}: {what}" if where else what for where, what in problems))


def adapter_of(tp: Any) -> TypeAdapter[Any]:
    """The pydantic adapter of a type. Raises NoSchema."""
    try:
        return _adapter(tp)
    except TypeError:  # an unhashable annotation
        return _make_adapter(tp)


@lru_cache(maxsize=1024)
def _adapter(tp: Any) -> TypeAdapter[Any]:
    return _make_adapter(tp)


def _make_adapter(tp: Any) -> TypeAdapter[Any]:
    try:
        adapter = TypeAdapter(tp)
        adapter.rebuild()  # a model with `defer_build` would be built, and refused, at its first value
        return adapter
    except PydanticUserError as error:
        if error.code == "typed-dict-version":
            raise NoSchema("take TypedDict from typing_extensions, not typing, before Python 3.12") from None
        raise NoSchema(str(error).splitlines()[0]) from None
    except PydanticSchemaGenerationError as error:
        raise NoSchema(str(error).splitlines()[0]) from None
    except NameError as error:
        raise NoSchema(str(error).splitlines()[0]) from None


def schema_of(tp: Any) -> dict[str, Any]:
    """The JSON Schema of a type's serialised form. Raises NoSchema."""
    adapter = adapter_of(tp)
    try:
        schema: dict[str, Any] = _without_computed(adapter.json_schema(by_alias=True, mode="serialization"))
        return schema
    except (PydanticInvalidForJsonSchema, PydanticUserError) as error:
        raise NoSchema(str(error).splitlines()[0]) from None


def _without_computed(schema: Any) -> Any:
    """Leave out computed fields: they are code of the class, not data that a model writes or a payload holds."""
    if isinstance(schema, list):
        return [_without_computed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: _without_computed(part) for key, part in schema.items()}
    fields = out.get("properties")
    if isinstance(fields, dict):
        gone = {name for name, part in fields.items() if isinstance(part, dict) and part.get("readOnly") is True}
        out["properties"] = {name: part for name, part in fields.items() if name not in gone}
        if gone and "required" in out:
            out["required"] = [name for name in out["required"] if name not in gone]
    return out


def to_json(tp: Any, value: Any) -> Json:
    """A Python value of a type as JSON."""
    return dump_json(adapter_of(tp), value)


def dump_json(adapter: TypeAdapter[Any], value: Any) -> Json:
    """A Python value as JSON, under its JSON names and without computed fields."""
    return adapter.dump_python(value, mode="json", by_alias=True, exclude_computed_fields=True)


def from_json(tp: Any, value: Json) -> Any:
    """The Python value of a type from JSON. Raises InvalidValue."""
    try:
        return adapter_of(tp).validate_python(value, by_alias=True, by_name=True)
    except ValidationError as error:
        raise invalid(error) from None


def strict_json(tp: Any, value: Any) -> Json:
    """A constant of the author's, checked without conversions, as JSON. Raises InvalidValue."""
    adapter = adapter_of(tp)
    try:
        return dump_json(adapter, adapter.validate_python(value, strict=True))
    except ValidationError as error:
        raise invalid(error) from None


def accept_type(tp: Any) -> Accept:
    """Checks by the author's type, its validators included."""
    if tp is str:
        return _accept_str
    adapter = adapter_of(tp)

    def accept(value: Json) -> Json:
        try:
            return dump_json(adapter, adapter.validate_python(value, by_alias=True, by_name=True))
        except ValidationError as error:
            raise invalid(error) from None

    return accept


def has_validators(tp: Any) -> bool:
    """Whether a type checks values by functions of its own, which its JSON Schema cannot repeat."""
    if tp is str:
        return False
    seen: set[int] = set()
    stack: list[Any] = [adapter_of(tp).core_schema]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            if id(part) in seen:
                continue
            seen.add(id(part))
            if str(part.get("type", "")).startswith("function-") and not _is_pydantics(part.get("function")):
                return True
            stack.extend(value for key, value in part.items() if key not in ("serialization", "metadata"))
        elif isinstance(part, (list, tuple)):
            stack.extend(part)
    return False


def _is_pydantics(function: Any) -> bool:
    """Whether a validator is pydantic's or chainlab's own: what those check, the JSON Schema says too."""
    inner = function.get("function") if isinstance(function, dict) else None
    return str(getattr(inner, "__module__", "")).partition(".")[0] in ("pydantic", "chainlab")


def _accept_str(value: Json) -> Json:
    if isinstance(value, str):
        return value
    raise InvalidValue((("", "should be text"),))


def accept_schema(schema: Mapping[str, Any]) -> Accept:
    """Checks by JSON Schema alone; for chains loaded without the author's code."""
    if schema.get("type") == "string" and schema.keys() <= {"type", "title", "description"}:
        return _accept_str
    from jsonschema import Draft202012Validator  # loaded only where the author's classes are not

    validator = Draft202012Validator(dict(schema))

    def accept(value: Json) -> Json:
        problems = tuple(
            (_place(tuple(error.absolute_path)), error.message)
            for error in sorted(validator.iter_errors(value), key=lambda e: list(map(str, e.absolute_path)))
        )
        if problems:
            raise InvalidValue(problems)
        return value

    return accept


def invalid(error: ValidationError) -> InvalidValue:
    """A pydantic error as InvalidValue."""
    return InvalidValue(tuple((_place(item["loc"]), item["msg"]) for item in error.errors(include_url=False)))


def _place(loc: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")


def field_types(tp: Any) -> Mapping[str, tuple[str | int, Any]] | None:
    """Field name -> (JSON key or index, type) of a model, dataclass, TypedDict or NamedTuple; None for other types."""
    import dataclasses
    from typing import get_origin, get_type_hints

    from typing_extensions import is_typeddict

    origin = get_origin(tp) or tp
    if not inspect.isclass(origin):
        return None
    if issubclass(origin, BaseModel):
        model = tp if inspect.isclass(tp) and issubclass(tp, BaseModel) else origin
        return {
            name: (info.serialization_alias or info.alias or name, info.annotation)
            for name, info in model.model_fields.items()
        }
    try:
        hints = get_type_hints(origin, include_extras=True)
    except Exception:
        hints = {}
    if dataclasses.is_dataclass(origin):
        return {field.name: (field.name, hints.get(field.name)) for field in dataclasses.fields(origin)}
    if is_typeddict(origin):
        return {name: (name, hint) for name, hint in hints.items()}
    if issubclass(origin, tuple) and hasattr(origin, "_fields"):
        return {name: (index, hints.get(name)) for index, name in enumerate(origin._fields)}
    return None
