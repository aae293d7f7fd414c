"""The program of the child process: reads requests, answers them, one at a time. Knows no parent but its pipes.

Started by its path with `-I -S`: no environment, no `site`; where to import libraries from comes as arguments.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from chainlab.sandbox.limits import Limit, Limits
    from chainlab.values.codec import Json

Answer: TypeAlias = "tuple[str, Json]"
"""What it is (`rendered`, `checked`, `error` or `limit`), and the thing."""

_ROOM = 0.75  # the share of its memory that must be free before the next request
_OLD_S = 300  # processor seconds
# What these templates import on first use could not be imported later: the last one difflib, for its error.
# The last two do not compile, and do not render.
_WARM = (
    "{{ é }}{{ '\\u00e9' ~ x }}{{ x | wordwrap(2) | pprint }}{{ x | striptags | urlize }}{{ x | random | xmlattr }}",
    "{% macro m(a) %}{{ a.encode('ascii').decode('latin-1') }}{% endmacro %}{{ m(x) }}{{ '%5.1f' | format(1) }}",
    "{% for",
    "{{ x.y }}",
)


def main() -> None:
    """Lock this process, say so, then serve until the parent goes."""
    _find_package()
    import json

    from chainlab.sandbox import lock, wire
    from chainlab.sandbox.limits import Limits

    limits = Limits(**json.loads(sys.argv[1]))
    _warm()
    missing = lock.lock(limits)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    wire.send(sink, wire.encode(["ready", missing, False], limits.output))
    last = False
    while not last and (body := wire.receive(source, limits.input)) is not None:
        lock.start_clock(limits.cpu_s)
        answer = _answer(body, limits)
        last = not lock.has_room(int(limits.memory * _ROOM)) or time.process_time() > _OLD_S
        try:
            frame = wire.encode([*answer, last], limits.output)
        except wire.TooLarge:
            frame = wire.encode(["limit", ["output", 1], last], limits.output)
        except MemoryError:
            frame = wire.encode(["limit", ["memory", 1], True], limits.output)
        lock.start_clock(0)
        wire.send(sink, frame)
    os._exit(0)


def _find_package() -> None:
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path.append(os.path.dirname(package))
    import chainlab.sandbox  # noqa: F401  # of this package, whichever else can be found

    sys.path[-1:] = sys.argv[2:]


def _warm() -> None:
    from chainlab.spec.template import Template, TemplateError
    from chainlab.spec.template_check import check_template

    for source in _WARM:
        check_template(source, {"x": {}, "é": {}})
        try:
            Template(source).render({"x": "<a> &lt; b", "é": "é"})
        except TemplateError:
            continue


def _answer(body: bytes, limits: Limits) -> Answer:
    from chainlab.sandbox import wire
    from chainlab.spec.template import TemplateError

    limit: Limit
    line = 1
    try:
        return _do(wire.decode(body), limits)
    except TemplateError as error:
        line = error.problem.line
        if isinstance(error.__cause__, MemoryError):
            limit = "memory"
        elif error.problem.code == "template-limit":
            limit = "output"
        else:
            return "error", wire.from_problems([error.problem])
    except MemoryError:
        limit = "memory"
    except RecursionError:
        limit = "input"
    return "limit", [limit, line]


def _do(request: Json, limits: Limits) -> Answer:
    from chainlab.sandbox import wire
    from chainlab.spec.template import compiled
    from chainlab.spec.template_check import check_template

    what, template, given = request
    if what == "render":
        return "rendered", wire.from_segments(compiled(template).render(given, most=limits.output).segments)
    return "checked", wire.from_problems(check_template(template, given))


if __name__ == "__main__":
    main()
