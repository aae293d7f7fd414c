"""What chainlab says to a model when its reply does not fit the type.

The only words of its own, visible and overridable.

Override with `@prompt(..., feedback="...")`. Variables: `errors` (list of text), `reply` (text).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFAULT_FEEDBACK = """Your last reply does not fit the required type:
{% for error in errors %}- {{ error }}
{% endfor %}Reply again, with the corrected answer only."""

FEEDBACK_VARIABLES: Mapping[str, dict[str, Any]] = {
    "errors": {"type": "array", "items": {"type": "string"}},
    "reply": {"type": "string"},
}
"""Types of the variables that a feedback template may use."""
