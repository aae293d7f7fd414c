"""The API's OpenAPI schema as text: what `inspector_ui/openapi.json` must be, and its TypeScript types come from."""

from __future__ import annotations

import json
from typing import cast

from chainlab.inspector.app import create_app
from chainlab.inspector.security import Security
from chainlab.trace import TraceReader


def openapi_text() -> str:
    """The schema, laid out for reading and for small diffs. The version is left out: a release changes no type."""
    # A schema is made from the routes' signatures alone; no reader is asked.
    app = create_app(cast(TraceReader, object()), security=Security(port=0, secret="schema"), assets={})
    return json.dumps(app.openapi() | {"info": {"title": app.title, "version": "1"}}, indent=1, sort_keys=True) + "\n"
