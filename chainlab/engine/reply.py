"""From what a model wrote to a value of the step's type. Judges; never asks again (that is `prompt_step`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from chainlab.values.codec import Json
from chainlab.values.types import Accept, InvalidValue

_FENCE = re.compile(r"^\s*```[a-zA-Z0-9]*\s*\n(.*?)\n?\s*```\s*$", re.DOTALL)


def is_text(schema: Mapping[str, Any]) -> bool:
    """Whether a step's type is plain text: then the reply is taken as it is."""
    return schema.get("type") == "string" and "enum" not in schema and "const" not in schema


def read(text: str, schema: Mapping[str, Any], accept: Accept) -> Json:
    """The value of a reply. Raises InvalidValue: not JSON, or not of the type."""
    if is_text(schema):
        return accept(text)
    fenced = _FENCE.match(text)
    body = fenced.group(1) if fenced else text
    try:
        value = json.loads(body)
    except ValueError as error:
        bare = body.strip()
        if _takes_text(schema):
            return accept(bare)
        raise InvalidValue((("", f"not JSON: {error}"),)) from None
    except RecursionError:
        raise InvalidValue((("", "JSON nested too deep"),)) from None
    if _takes_text(schema) and not isinstance(value, str):
        try:
            return accept(value)
        except InvalidValue:
            return accept(body.strip())
    return accept(value)


def _takes_text(schema: Mapping[str, Any]) -> bool:
    """Whether bare text can be a value: Literal or enum of texts, `str | None`, a union with str."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rsplit("/", 1)[-1]
        target = schema.get("$defs", {}).get(name, {})
        return _takes_text({**target, "$defs": schema.get("$defs", {})})
    if schema.get("type") == "string" or isinstance(schema.get("const"), str):
        return True
    if any(isinstance(label, str) for label in schema.get("enum", ())):
        return True
    return any(_takes_text({**part, "$defs": schema.get("$defs", {})}) for part in schema.get("anyOf", ()))
