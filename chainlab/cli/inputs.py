"""What is typed after the chain's name, as its inputs: name=text, name=@file, name:=json. Knows schemas, no chain."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chainlab.errors import ChainError
from chainlab.spec import schema as types
from chainlab.values import pictures
from chainlab.values.codec import Json
from chainlab.values.near import did_you_mean

_FORM = re.compile(r"(?P<name>[^\W\d]\w*)(?P<sign>:?=)(?P<value>.*)", re.DOTALL)


def parse_inputs(arguments: Sequence[str], schemas: Mapping[str, types.Schema]) -> dict[str, Json]:
    """The inputs by name. Raises ChainError `run-input`."""
    inputs: dict[str, Json] = {}
    for argument in arguments:
        form = _FORM.fullmatch(argument)
        if form is None:
            raise _wrong(
                f"the input {argument[:60]!r} has no name",
                expected="name=text, name=@file.txt or name:=json",
                remedy=f"write {next(iter(schemas), 'name')}={shlex.quote(argument[:60])}",
            )
        name, sign, value = form["name"], form["sign"], form["value"]
        if name not in schemas:
            near = did_you_mean(name, schemas)
            raise _wrong(
                f"there is no input {name!r}",
                expected=_signature(schemas),
                remedy=near.strip() or "leave it out",
            )
        if name in inputs:
            raise _wrong(f"the input {name!r} is given twice", remedy="give it once")
        inputs[name] = _value(name, sign, value, schemas[name])
    return inputs


def missing(inputs: Mapping[str, Json], schemas: Mapping[str, types.Schema], defaults: Mapping[str, Json]) -> None:
    """Refuse a run that lacks inputs. Raises ChainError `run-input`."""
    lacking = [name for name in schemas if name not in inputs and name not in defaults]
    if lacking:
        given = " ".join(f"{name}{'=...' if takes_text(schemas[name]) else ':=...'}" for name in lacking)
        raise _wrong(
            f"{'the input' if len(lacking) == 1 else 'the inputs'} {', '.join(map(repr, lacking))} "
            f"{'is' if len(lacking) == 1 else 'are'} missing",
            expected=_signature(schemas),
            remedy=f"add {given}",
        )


def takes_text(schema: types.Schema) -> bool:
    """Whether text is a value of this type, so that what is typed needs no quotes."""
    for option in types.alternatives(schema):
        values = [option["const"]] if "const" in option else option.get("enum")
        if any(isinstance(value, str) for value in values) if values is not None else _is_text(option):
            return True
    return False


def _is_text(option: types.Schema) -> bool:
    kind = option.get("type")
    return "string" in kind if isinstance(kind, list) else kind == "string" or not option


def _value(name: str, sign: str, text: str, schema: types.Schema) -> Json:
    if sign == "=" and schema.get(pictures.KEYWORD) == pictures.IMAGE:
        return _picture(name, text)
    if text.startswith("@"):
        text = _read(name, text[1:])
    if sign == "=" and takes_text(schema):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise _wrong(
            f"the input {name!r} is given as {text[:40]!r}, which is not JSON: {error}",
            expected=types.describe(schema),
            remedy=f"write {name}:={shlex.quote(_example(schema))}",
        ) from None


def _picture(name: str, text: str) -> Json:
    """A picture by its address, or out of a file."""
    try:
        if text.startswith("@"):
            return pictures.of_file(Path(text[1:]).expanduser())
        return pictures.of_url(text)
    except pictures.BadPicture as error:
        raise _wrong(
            f"the input {name!r} is given as {text[:60]!r}: {error}",
            expected=f"a file with a picture ({pictures.KINDS}), or an address",
            remedy=f"write {name}=@picture.png or {name}=https://...",
        ) from None


def _read(name: str, file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise _wrong(
            f"the input {name!r} cannot be read from {file!r}: {why}",
            remedy=f"name another file; for text that begins with @ write {name}:='\"@...\"'",
        ) from None


def _example(schema: types.Schema) -> str:
    option = next(iter(types.alternatives(schema)), {})
    values = option.get("enum")
    if values:
        return json.dumps(values[0])
    examples: dict[str, Any] = {"integer": "3", "number": "0.5", "boolean": "true", "array": '["..."]'}
    return str(examples.get(str(option.get("type")), '{"...": "..."}'))


def _signature(schemas: Mapping[str, types.Schema]) -> str:
    return ", ".join(f"{name}: {types.describe(schema)}" for name, schema in schemas.items()) or "no inputs"


def _wrong(message: str, *, remedy: str, expected: str | None = None) -> ChainError:
    return ChainError(message, code="run-input", expected=expected, remedy=remedy)
