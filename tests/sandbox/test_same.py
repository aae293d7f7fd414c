"""What the sandbox gives is what the renderer gives in process: texts, segments, problems, lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from chainlab.sandbox.sandbox import Sandbox
from chainlab.spec._jinja import ENVIRONMENT
from chainlab.spec.template import Rendered, Template, TemplateError, TemplateProblem
from chainlab.spec.template_check import check_template
from tests.spec.test_template import TEMPLATES, VALUES
from tests.spec.test_template_check import JSON, RIGHT, SCHEMAS, WRONG


@pytest.fixture(scope="module")
def warm() -> Iterator[Sandbox]:
    made = Sandbox(children=1)
    yield made
    made.close()


def here(source: str, values: dict[str, Any]) -> Rendered | TemplateProblem:
    try:
        return Template(source).render(values)
    except TemplateError as error:
        return error.problem


async def there(sandbox: Sandbox, source: str, values: dict[str, Any]) -> Rendered | TemplateProblem:
    try:
        return await sandbox.render(source, values)
    except TemplateError as error:
        return error.problem


@pytest.mark.parametrize("source", RIGHT)
async def test_a_right_template_renders_the_same(warm: Sandbox, source: str) -> None:
    assert await warm.render(source, JSON) == Template(source).render(JSON)
    assert await warm.check(source, SCHEMAS) == ()


@pytest.mark.parametrize("source", [source for source, *_ in WRONG])
async def test_a_wrong_template_has_the_same_problems_on_the_same_lines(warm: Sandbox, source: str) -> None:
    assert await warm.check(source, SCHEMAS) == check_template(source, SCHEMAS)
    assert await there(warm, source, JSON) == here(source, JSON)


# `random` has another result each time.
@pytest.mark.parametrize("name", sorted({*ENVIRONMENT.filters} - {"random", "<print>", "<piece>"}))
async def test_every_filter_does_the_same(warm: Sandbox, name: str) -> None:
    values = {"x": ["<a> http://b.c", 2]}
    for value in ("x[0]", "x", "{'a': x}", "[x, x]", "1"):
        for call in ("", "('a')", "(2)", "('upper')"):
            source = f"\n{{{{ {value} | {name}{call} }}}}"
            assert await there(warm, source, values) == here(source, values)


@pytest.mark.parametrize("name", sorted(ENVIRONMENT.tests))
async def test_every_test_does_the_same(warm: Sandbox, name: str) -> None:
    values = json.loads('{"x": "some text", "y": [1]}')  # no literals of this file, which `sameas` would know again
    for call in ("", "(1)", "('some text')", "(x)", "(y)"):
        source = f"{{{{ x is {name}{call} }}}}{{{{ y is {name}{call} }}}}"
        assert await there(warm, source, values) == here(source, values)


@pytest.mark.parametrize(
    "value",
    [
        "\0\ud800\udfff",
        "\ud83d\ude00",
        "😀\u2028\x85\r\n",
        2**70,
        -(2**3000),
        1e-320,
        -0.0,
        float("nan"),
        float("inf"),
        {"z": 1, "a": {"\udc00": None}, "": [[], {}]},
        [True, False, None, "", 0],
        "a" * 3_000_000,
        list(range(20_000)),
    ],
    ids=lambda value: repr(value)[:20].encode("ascii", "backslashreplace").decode().replace("\\", ""),
)
async def test_odd_and_large_values_come_through_without_loss(warm: Sandbox, value: Any) -> None:
    source = "{{ x }}{{ x | tojson }}{% if x is sequence %}{{ x | length }}{% endif %}"
    assert repr(await warm.render(source, {"x": value})) == repr(Template(source).render({"x": value}))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEMPLATES)
def test_any_template_renders_the_same(warm: Sandbox, source: str) -> None:
    assert asyncio.run(there(warm, source, VALUES)) == here(source, VALUES)
