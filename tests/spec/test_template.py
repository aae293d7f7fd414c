"""Templates: what they print, in which pieces, and how they fail."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from chainlab.spec._jinja import ENVIRONMENT, printed
from chainlab.spec.template import Segment, Template, TemplateError, TemplateProblem, compiled

VALUES: dict[str, Any] = {
    "name": "Ann & <Bob>",
    "n": 3,
    "price": 1.5,
    "yes": True,
    "nothing": None,
    "tags": ["a", "b"],
    "order": {"title": "Tea", "items": [{"sku": "x1", "count": 2}], "keys": "of the house", "deep": {"er": "!"}},
    "empty": [],
    "one": ["1"],
}


def text(source: str, **values: Any) -> str:
    return Template(source).render({**VALUES, **values}).text


def problem(source: str, **values: Any) -> TemplateProblem:
    with pytest.raises(TemplateError) as caught:
        Template(source).render({**VALUES, **values})
    return caught.value.problem


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hello {{ name }}!\n", "Hello Ann & <Bob>!\n"),
        ("no variable\n\n", "no variable\n\n"),
        ("", ""),
        ("{{ yes }} {{ nothing }} {{ n }} {{ price }}", "true null 3 1.5"),
        ("{{ tags }} {{ order.deep }}", '["a", "b"] {"er": "!"}'),
        ("{{ 'literal' }} {{ 3 }} {{ true }} {{ [1, none] }}", "literal 3 true [1, null]"),
        ("{{ order | tojson }}", json.dumps(VALUES["order"])),
        ("{{ name | tojson }}", '"Ann & <Bob>"'),
        ("{{ order.deep | tojson(indent=2) }}", '{\n  "er": "!"\n}'),
        ("{{ 'é' | tojson }}", '"é"'),
        ("{{ order.items }}", '[{"sku": "x1", "count": 2}]'),
        ("{{ order.keys }} {{ order['keys'] }}", "of the house of the house"),
        ("{% for k, v in order.deep.items() %}{{ k }}={{ v }}{% endfor %}", "er=!"),
        ("{{ order.deep.values() }} {{ order.get('none', 'x') }}", '["!"] x'),
        ("{{ tags | map('upper') }}", '["A", "B"]'),
        ("{{ tags | join(', ') }} {{ [true, none, 1, {}] | join('|') }}", "a, b true|null|1|{}"),
        ("{{ order.items | join(',', attribute='sku') }}", "x1"),
        ("{{ name ~ ':' ~ yes ~ nothing }}", "Ann & <Bob>:truenull"),
        ("{{ tags | string | length }}", "10"),
        ("{{ range(3) }} {{ dict(a=1) }}", '[0, 1, 2] {"a": 1}'),
        ("{{ order.items | map(attribute='sku') | first }}", "x1"),
        ("{% set ns = namespace(n=0) %}{% for t in tags %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}", "2"),
        ("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(yes) }}", "<true>"),
        ("{% set x %}{{ n }} {{ name }}{% endset %}{{ x }}", "3 Ann & <Bob>"),
        ("{% filter upper %}{{ name }}{% endfilter %}", "ANN & <BOB>"),
        ("{% raw %}{{ name }}{% endraw %}", "{{ name }}"),
        ("{{ 2 ** 3 * 2 }}", "16"),
        ("{{ missing | default('none') }} {{ order.nope is defined }}", "none false"),
        ("{% autoescape true %}{{ name }} {{ true }}{% endautoescape %}", "Ann &amp; &lt;Bob&gt; true"),
        ("{% autoescape yes %}{{ name }}{% endautoescape %}", "Ann &amp; &lt;Bob&gt;"),
        ("{{ name | e }}", "Ann &amp; &lt;Bob&gt;"),
        ("{% if n %}yes{% endif %}\n{% if not n %}no{% endif %}\nend", "yes\n\nend"),
        ("{{ tags[-1] }}{{ tags[0:1] }}{{ name[0] }}", 'b["a"]A'),
        ("{{ order.items[0].count }}", "2"),
        ("{{ (tags | map('upper'))[0] }} {{ tags | select | length }} {{ order.deep.keys()[0] }}", "A 2 er"),
        ("{{ tags | reverse }} {{ name | reverse | first }} {{ tags | batch(1) }}", '["b", "a"] > [["a"], ["b"]]'),
        ("{% set t = tags | unique %}{{ t }}{{ t }}", '["a", "b"]["a", "b"]'),
    ],
)
def test_a_template_prints_what_a_person_expects(source: str, expected: str) -> None:
    assert text(source) == expected


def test_odd_values_print_without_loss() -> None:
    assert text("{{ x }}", x="\ud800\0") == "\ud800\0"
    assert text("{{ x }}", x=2**70) == str(2**70)
    assert text("{{ x }} {{ x | tojson }}", x=float("nan")) == "NaN NaN"
    assert text("{{ x }}", x=["é", "日本"]) == '["é", "日本"]'


def test_a_template_knows_its_variables() -> None:
    source = "{{ a }}{% for b in c %}{{ b }}{{ loop.index }}{% endfor %}{% set d = 1 %}{{ d }}{{ range(2) }}{{ e.f }}"
    assert Template(source).variables == {"a", "c", "e"}


@pytest.mark.parametrize(
    ("source", "code", "line", "words"),
    [
        ("\n{{ name", "template-syntax", 2, "end of template"),
        ("a\n{% fro x in y %}", "template-syntax", 2, "unknown tag"),
        ("{% if name %}", "template-syntax", 1, "endif"),
        ("{{ name | uper }}", "template-filter", 1, "`uper`"),
        ("\n\n{{ tags | map('uper') }}", "template-filter", 3, "`uper`"),
        ("{% if n is evn %}{% endif %}", "template-filter", 1, "`evn`"),
        ("{{ tags | select('evn') }}", "template-filter", 1, "`evn`"),
        ("{% if name %}{{ name | uper }}{% endif %}", "template-filter", 1, "`uper`"),
        ("\n{% include 'x' %}", "template-tag", 2, "one prompt, one visible text"),
        ("{% import 'x' as y %}", "template-tag", 1, "one prompt, one visible text"),
        ("{% from 'x' import y %}", "template-tag", 1, "one prompt, one visible text"),
        ("{% extends 'x' %}", "template-tag", 1, "one prompt, one visible text"),
        ("{% block x %}{% endblock %}", "template-tag", 1, "one prompt, one visible text"),
        ("{% for x in tags %}{% block x %}{% endblock %}{% endfor %}", "template-tag", 1, "one prompt"),
        ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "template-syntax", 1, "too deeply"),
        ("{% for x in tags %}" * 30 + "{% endfor %}" * 30, "template-syntax", 1, "too deeply"),
        ("{% break %}", "template-syntax", 1, "unknown tag"),
        ("\n{% autoescape 'a' | center(9) %}{% endautoescape %}", "template-tag", 2, "true, false or a variable"),
        ("{{ " + "+".join("1" * 3000) + " }}", "template-syntax", 1, "too deeply"),
        ("{{ name" + ".a" * 3000 + " }}", "template-syntax", 1, "too deeply"),
    ],
)
def test_a_template_that_does_not_compile_says_why_and_where(source: str, code: str, line: int, words: str) -> None:
    found = problem(source)
    assert (found.code, found.line) == (code, line)
    assert words in found.message
    assert found.remedy


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("\n\n{{ nme }}", 3, "no value `nme`"),
        ("{{ order.titel }}", 1, "the object has no `titel`"),
        ("{{ name }}\n{{ order.deep.err }}", 2, "the object has no `err`"),
        ("{% for t in tags %}\n{{ t }}\n{{ t.x }}{% endfor %}", 3, "text has no `x`"),
        ("{{ nothing.x }}", 1, "None has no `x`"),
        ("{{ tags[5] }}", 1, "no item 5: the list has 2"),
        ("a\n{{ 1 / 0 }}", 2, "division by zero"),
        ("{{ name + n }}", 1, "str"),
        ("{{ name.__class__ }}", 1, "unsafe"),
        ("{{ tags.append(1) }}", 1, "unsafe"),
        ("{{ order.pop('title') }}", 1, "no `pop`"),
        ("{{ order.deep.items }}", 1, "a function"),
        ("{{ order.deep.items.func }}", 1, "no `func`"),
        ("{{ order." + "title" * 1000 + " }}", 1, "no `title"),
        ("{% macro m() %}{% endmacro %}{{ m }}", 1, "a function"),
        ("{{ n() }}", 1, "not callable"),
        ("{{ lipsum() }}", 1, "no value `lipsum`"),
        ("{{ order.nope | tojson }}", 1, "no `nope`"),
        ("{{ order.nope | join }}", 1, "no `nope`"),
        ("{{ 'x' ~ order.nope }}", 1, "no `nope`"),
        ("{% if order.nope %}{% endif %}", 1, "no `nope`"),
        ("{{ self }}", 1, "not a value"),
        ("{% for x in n %}{% endfor %}", 1, "not iterable"),
        ("{{ empty | first }}", 1, "sequence was empty"),
        ("{% for x in tags recursive %}{{ loop(tags) }}{% endfor %}", 1, "recursion"),
    ],
)
def test_a_value_that_is_not_there_is_an_error_with_its_line(source: str, line: int, words: str) -> None:
    found = problem(source)
    assert (found.code, found.line) == ("template-value", line)
    assert words in found.message
    assert found.remedy


def test_a_missing_value_says_what_is_there() -> None:
    found = problem("{{ order.titel }}")
    assert found.expected == "title, items, keys, deep"
    assert found.got == "titel"
    assert "`title`" in found.remedy
    assert "`name`" in problem("{{ nam }}").remedy


def test_looking_at_a_costly_template_costs_nothing() -> None:
    for source in (
        "{{ 9 ** 9 ** 9 }}{{ 'a' * 10 ** 10 }}",
        "{{ 'a' | center(1000000000000000) }}",
        "{{ '%999999999999999d' % 1 }}",
    ):
        assert Template(source).variables == frozenset()


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 10 ** 10 }}",
        "{{ 10 ** 10 * [1, 2] }}",
        "{{ (9 ** 9) ** (9 ** 9) }}",
        "{% set ns = namespace(x=9) %}{% for _ in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
    ],
)
def test_a_product_too_large_to_print_is_refused(source: str) -> None:
    assert "too large" in problem(source).message
    assert text("{{ '-' * 80 }}{{ 2 ** 100 }}{{ 1 ** 10 ** 9 }}{{ -3 * 4.5 }}") == "-" * 80 + f"{2**100}1-13.5"


def test_a_text_may_be_bounded() -> None:
    assert Template("{{ name }}!").render({"name": "Ann"}, most=4).text == "Ann!"
    with pytest.raises(TemplateError) as caught:
        Template("{{ name }}!").render({"name": "Anna"}, most=4)
    assert (caught.value.problem.code, caught.value.problem.got) == ("template-limit", "output")


def test_rendering_never_changes_a_value() -> None:
    before = json.dumps(VALUES)
    for source in ("{{ order.update(a=1) }}", "{{ tags.clear() }}", "{{ order.setdefault('a', 1) }}"):
        problem(source)
    assert json.dumps(VALUES) == before


def segments(source: str, **values: Any) -> list[Segment]:
    return list(Template(source).render({**VALUES, **values}).segments)


def test_segments_say_which_variable_printed_a_piece() -> None:
    assert segments("Hi {{ name }}, {{ order.title }}: {{ order.items[0].sku }}{{ order['deep'] }}.") == [
        Segment("Hi "),
        Segment("Ann & <Bob>", "name"),
        Segment(", "),
        Segment("Tea", "order", ("title",)),
        Segment(": "),
        Segment("x1", "order", ("items", 0, "sku")),
        Segment('{"er": "!"}', "order", ("deep",)),
        Segment("."),
    ]


@pytest.mark.parametrize(
    "source",
    [
        "{{ name | upper }}",
        "{{ n + 1 }}",
        "{% for t in tags %}{{ t }}{% endfor %}",
        "{% set name = 'x' %}{{ name }}",
        "{% macro m(name) %}{{ name }}{% endmacro %}{{ m(1) }}",
        "{% macro m() %}{{ name }}{% endmacro %}{{ m() }}",
        "{% set x %}{{ name }}{% endset %}{{ x }}",
        "{% filter upper %}{{ name }}{% endfilter %}",
        "{% with name = 1 %}{{ name }}{% endwith %}",
        "{{ tags[n - 3] }}",
        "{{ name[0] }}",
        "{{ 'constant' }}",
        "{% for t in tags %}a{% endfor %}b{{ 1 }}",
    ],
)
def test_what_is_computed_is_one_literal_piece(source: str) -> None:
    (only,) = segments(source)
    assert (only.name, only.path) == (None, ())


def test_a_variable_inside_a_loop_is_named_each_time() -> None:
    named = [piece for piece in segments("{% for t in tags %}{{ t }}{{ name }}{% endfor %}") if piece.name]
    assert named == [Segment("Ann & <Bob>", "name")] * 2


def test_a_variable_that_prints_nothing_keeps_its_place() -> None:
    assert segments("{{ name }}", name="") == [Segment("", "name")]


def test_a_long_text_of_the_template_is_a_segment_of_its_own() -> None:
    rules = "Write in the plain style of a person who has read much. " * 3
    assert segments(rules + "{{ name | upper }} and {# more #}{{ n }}") == [
        Segment(rules),
        Segment("ANN & <BOB> and "),
        Segment("3", "n"),
    ]
    assert segments(rules + "{# a note #}" + rules + "{{ name[:2] }}") == [Segment(rules + rules), Segment("An")]
    again = segments("{% for t in tags %}" + rules + "{{ loop.index }}{% endfor %}")
    assert [piece.text for piece in again[::2]] == [rules] * (len(again) // 2)


def test_segments_hold_plain_text() -> None:
    assert {type(piece.text) for piece in segments("a{{ name }}{{ n }}{{ tags }}")} == {str}


def test_a_template_is_compiled_once() -> None:
    assert compiled("{{ a }}") is compiled("{{ a }}")


EXPRESSIONS = st.sampled_from(
    [
        "name", "n", "price", "yes", "nothing", "tags", "order", "order.title", "order.items", "order.deep.er",
        "tags[0]", "tags[-1]", "name[1]", "name | upper", "n + 1", "'text'", "true", "tags | join(', ')", "name ~ n",
        "empty", "one",
        "order.items | map(attribute='sku') | list", "missing | default('d')", "'<&>'", "order.keys",
    ]
)  # fmt: skip
LITERALS = st.text(alphabet="ab \n<&\"'}\\é\0", max_size=6)


def _statement(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    wrap = st.sampled_from(
        [
            "{%% for t in tags %%}%s{{ t }}{%% endfor %%}",
            "{%% for t in empty %%}{%% else %%}%s{%% endfor %%}",
            "{%% for t in tags recursive %%}%s{%% endfor %%}",
            "{%% if n %%}%s{%% else %%}no{%% endif %%}",
            "{%% set x %%}%s{%% endset %%}{{ x }}",
            "{%% filter lower %%}%s{%% endfilter %%}",
            "{%% with name = tags[0] ~ name %%}%s{%% endwith %%}",
            "{%%- if yes -%%} %s {%%- endif -%%}",
            "{%% macro m(a) %%}%s{{ caller() if caller is defined else a }}{%% endmacro %%}{{ m(name) }}"
            "{%% call m(1) %%}{{ tags }}{%% endcall %%}",
        ]
    )
    return st.tuples(wrap, inner).map(lambda pair: pair[0] % pair[1])


TEMPLATES = st.recursive(
    st.lists(st.one_of(LITERALS, EXPRESSIONS.map("{{{{ {} }}}}".format)), max_size=5).map("".join),
    lambda inner: st.lists(st.one_of(inner, _statement(inner)), min_size=1, max_size=3).map("".join),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(TEMPLATES)
def test_segments_make_up_the_text_and_the_text_is_plain_jinja(source: str) -> None:
    plain = Environment(finalize=printed, keep_trailing_newline=True, autoescape=False)
    plain.filters["string"] = printed
    plain.filters["join"] = lambda value, d="": d.join(map(printed, value))
    try:
        expected = plain.from_string(
            source.replace("order.items", "order['items']").replace("order.keys", "order['keys']")
        )
    except Exception:  # an unlucky literal, such as `{{ a }}}` or `{%`: both must refuse it
        with pytest.raises(TemplateError):
            Template(source)
        return
    rendered = Template(source).render(VALUES)
    assert rendered.text == expected.render(VALUES)
    assert "".join(piece.text for piece in rendered.segments) == rendered.text
    assert all(
        a.name is not None or b.name is not None for a, b in zip(rendered.segments, rendered.segments[1:], strict=False)
    )


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' | center(9) }}",
        "{{ ('a' | center(9)) ~ x }}",
        "{% if 'a' | center(9) %}{% endif %}",
        "{% set a = 'a' | center(9) %}{{ a }}",
        "{{ x[('a' | center(9))] }}",
    ],
)
def test_nothing_is_worked_out_before_it_is_rendered(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    worked_out: list[str] = []

    def noted(text: str, width: int) -> str:
        worked_out.append(text)
        return text

    monkeypatch.setitem(ENVIRONMENT.filters, "center", noted)
    template = Template(source)
    assert worked_out == []
    template.render({"x": {"a": 1}})
    assert worked_out == ["a"]
