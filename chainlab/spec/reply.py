"""What one reply of a prompt must be: its output type, or, of several samples, the type of each. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from chainlab.spec.chain import PromptStep, Schema
from chainlab.spec.schema import item

GRAMMAR = "x-chainlab-grammar"
"""The keyword that carries a grammar in the schema of a text."""


_HELD = frozenset(("enum", "const", "pattern", GRAMMAR))


def reply_schema(step: PromptStep) -> Schema:
    """The JSON Schema of one reply."""
    if step.n is None:
        return step.output
    return dict(item(step.output) or {})


def is_free_text(schema: Mapping[str, object]) -> bool:
    """Whether a reply is text as it comes: held to no labels, pattern or grammar."""
    return schema.get("type") == "string" and _HELD.isdisjoint(schema)
