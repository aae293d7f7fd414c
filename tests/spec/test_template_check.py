"""The checker of templates: what is certainly wrong it finds, with the line; what may be right it lets pass."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter

from chainlab.spec.schema import Schema
from chainlab.spec.template import Template, TemplateError, TemplateProblem
from chainlab.spec.template_check import check_template, unused_variables


class Author(BaseModel):
    name: str
    born: int
    nick: str | None = None


class Line(BaseModel):
    sku: str
    count: int
    items: list[int] = []


class Order(BaseModel):
    title: str
    lines: list[Line]
    items: list[Line]
    author: Author
    maybe: Author | None = None
    price: float = 1.0
    paid: bool = True


class Tree(BaseModel):
    label: str
    kids: list[Tree] = []


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    name: str
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str
    barks: bool


class Loose(BaseModel):
    model_config = ConfigDict(extra="allow")
    known: int


class Pair(NamedTuple):
    left: str
    right: int


VALUES: dict[str, tuple[Any, Any]] = {
    "s": (
        Order,
        Order(
            title="T",
            lines=[Line(sku="a", count=1, items=[1])],
            items=[Line(sku="b", count=2, items=[2])],
            author=Author(name="Ann", born=1900),
            maybe=Author(name="Bo", born=1950, nick="B"),
        ),
    ),
    "name": (str, "Ann"),
    "n": (int, 3),
    "price": (float, 1.5),
    "yes": (bool, True),
    "tags": (list[str], ["a", "b"]),
    "authors": (list[Author], [Author(name="Ann", born=1900), Author(name="Cy", born=2000, nick="C")]),
    "tree": (Tree, Tree(label="r", kids=[Tree(label="k", kids=[Tree(label="g")])])),
    "trees": (list[Tree], [Tree(label="r", kids=[Tree(label="k")])]),
    "pet": (Cat | Dog, Cat(name="Tom", lives=9)),
    "pets": (list[Cat | Dog], [Cat(name="Tom", lives=9), Dog(name="Rex", barks=True)]),
    "ages": (dict[str, int], {"ann": 3}),
    "byname": (dict[str, Author], {"ann": Author(name="Ann", born=1900)}),
    "anything": (Any, {"what": {"ever": 1}}),
    "loose": (Loose, Loose(known=1, extra=2)),  # type: ignore[call-arg]  # extra="allow"
    "pair": (tuple[str, Author], ("x", Author(name="Ann", born=1900))),
    "pairs": (list[tuple[str, int]], [("a", 1)]),
    "named": (Pair, Pair("l", 1)),
    "opt": (str | None, None),
    "many": (list[Author] | None, [Author(name="Ann", born=1900)]),
    "kind": (Literal["a", "b"], "a"),
    "matrix": (list[list[int]], [[1, 2], [3]]),
}
SCHEMAS: dict[str, Schema] = {
    name: TypeAdapter(of).json_schema(mode="serialization") for name, (of, _) in VALUES.items()
}
JSON: dict[str, Any] = {name: TypeAdapter(of).dump_python(value, mode="json") for name, (of, value) in VALUES.items()}

RIGHT = [
    "no variables at all",
    "{{ name }} {{ n }} {{ s }} {{ tags }}",
    "{{ s.title }} {{ s['title'] }} {{ s.author.name }}",
    "{{ s.items }} {{ s.items[0].sku }} {{ s.lines[0]['items'][0] }}",
    "{% for line in s.lines %}{{ line.sku }} {{ line.items }}{% endfor %}",
    "{% for line in s.items %}{{ loop.index }}/{{ loop.length }} {{ line.count }}{% endfor %}",
    "{% for a in authors if a.nick %}{{ a.nick }}{% else %}none{% endfor %}",
    "{% for a in authors %}{% if not loop.first %}{{ loop.previtem.name }}{% endif %}{% endfor %}",
    "{% for a in authors %}{% set outer = loop %}{% for t in tags %}{{ outer.index }}{{ t }}{% endfor %}{% endfor %}",
    "{% for t in trees recursive %}{{ t.label }}{% if t.kids %}{{ loop(t.kids) }}{% endif %}{% endfor %}",
    "{% for key, age in ages.items() %}{{ key }} {{ age }}{% endfor %}",
    "{% for key, a in byname.items() %}{{ key.upper() }} {{ a.born }}{% endfor %}",
    "{% for key, a in byname | dictsort %}{{ a.name }}{% endfor %}",
    "{% for key, a in byname | items %}{{ a.name }}{% endfor %}",
    "{% for a in byname.values() %}{{ a.name }}{% endfor %}{% for key in byname.keys() %}{{ key }}{% endfor %}",
    "{% for key in s %}{{ key }}{% endfor %}{% for letter in name %}{{ letter }}{% endfor %}",
    "{% for text, count in pairs %}{{ text }} {{ count }}{% endfor %}",
    "{% for row in matrix %}{% for cell in row %}{{ cell }}{% endfor %}{% endfor %}",
    "{% set a = s.author %}{{ a.name }}",
    "{% set left, right = pair %}{{ left }} {{ right.name }}",
    "{% set x, y = named %}{{ x }}{{ y }}",
    "{% if yes %}{% set x = s.author %}{% else %}{% set x = s.lines[0] %}{% endif %}{{ x.name }}",
    "{% set x = name %}{% for a in authors %}{% if yes %}{% set x = a %}{% endif %}{{ x.name }}{% endfor %}",
    "{% with a = s.author, t = tags[0] %}{{ a.name }}{{ t }}{% endwith %}",
    "{% macro show(a, sep=', ') %}{{ a.name }}{{ sep }}{% endmacro %}{{ show(s.author) }}{{ show(authors[0], '') }}",
    "{% macro a(x) %}{{ x.name }}{% endmacro %}{% macro b(x) %}{{ a(x) }}{% endmacro %}{{ b(pet) }}",
    "{% macro walk(t) %}{{ t.label }}{% for k in t.kids %}{{ walk(k) }}{% endfor %}{% endmacro %}{{ walk(tree) }}",
    "{% macro never(x) %}{{ x.anything }}{% endmacro %}{{ name }}",
    "{% macro row() %}{{ caller(s.author) }}{% endmacro %}{% call(a) row() %}{{ a.name }}{% endcall %}",
    "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, x=2) }}",
    "{% macro m() %}{{ late }}{% endmacro %}{% set late = 1 %}{{ m() }}",
    "{% filter upper %}{{ name }}{% endfilter %}{% set x %}{{ n }}{% endset %}{{ x.strip() }}",
    "{% set x | upper %}{{ name }}{% endset %}{{ x }}",
    "{{ authors | map(attribute='name') | join(', ') }} {{ authors | join('; ', attribute='name') }}",
    "{{ s.lines | map(attribute='items.0') | list }} {{ s.lines | map(attribute='nope', default='-') | list }}",
    "{{ (authors | first).name }} {{ (authors | sort(attribute='born,name') | last).born }}",
    "{{ (authors | selectattr('nick') | list)[0].nick }} {{ authors | rejectattr('born', 'gt', 1950) | list }}",
    "{{ authors | selectattr('nope', 'defined') | list }}",
    "{{ s.lines | sum(attribute='count') }} {{ (authors | max(attribute='born')).name }}",
    "{% for year, group in authors | groupby('born') %}{% for a in group %}{{ a.name }}{% endfor %}{% endfor %}",
    "{% for g in authors | groupby('born') %}{{ g.grouper }}{{ g.list }}{% endfor %}",
    "{% for row in authors | batch(2) %}{% for a in row %}{{ a.name }}{% endfor %}{% endfor %}",
    "{{ (authors | unique(attribute='name') | list)[0].name }} {{ (authors | reverse | list)[0].name }}",
    "{{ tags | map('upper') | join }} {{ tags | map('length') | sum }} {{ name | reverse }}",
    "{{ pet.name }} {{ pet.kind }} {{ pet.lives }} {% for p in pets %}{{ p.name }}{% endfor %}",
    "{{ s.maybe.name }} {% if s.maybe %}{{ s.maybe.nick }}{% endif %}",
    "{% for a in many %}{{ a.name }}{% endfor %}",
    "{{ opt or 'nothing' }} {{ opt | default('x', true) }}",
    "{{ anything.what.ever }} {% for x in anything %}{{ x }}{% endfor %}",
    "{{ loose.known }} {{ loose.extra }}",
    "{{ ages.ann }} {{ ages['ann'] }} {{ byname[name | lower].born }}",
    "{{ s.nope | default('-') }} {{ nope | default('-') }} {{ nope is defined }}",
    "{% if s.nope is defined %}{{ s.nope }}{% endif %}{% if nope is defined and nope.x %}{{ nope.x }}{% endif %}",
    "{% if nope is not defined %}a{% else %}{{ nope }}{% endif %}{{ s.x if s.x is defined else 'b' }}",
    "{% if nope is undefined or nope == 1 %}a{% endif %}",
    "{% if not (nope is defined) %}{% else %}{{ nope }}{% endif %}",
    "{{ name.upper() }} {{ name.split(',')[0].strip() }} {{ tags.index('a') }}",
    "{{ name[0] }} {{ name[1:] }} {{ tags[:1] }} {{ tags | map('upper') | reverse | length }}",
    "{{ (tags | map('upper'))[0] }} {{ ages.items()[0][1] }} {{ (tags | reverse)[0].upper() }}",
    "{{ opt.upper() if opt is not none else '' }} {% for k in s.author %}{{ s.author[k] }}{% endfor %}",
    "{{ tags[n - 3] }} {{ authors[n - 3].name }} {{ authors[-1].name }} {{ matrix[0][1] }} {{ pair[1].name }}",
    "{{ s.get('title') }} {{ s.author.get('nope', 'x') }} {{ (s.items + s.lines)[0].sku }}",
    "{{ {'a': s.author}.a.name }} {{ [s.author, authors[0]][0].born }} {{ ('a', s)[1].title }}",
    "{% for x in [s.author, pet] %}{{ x.name }}{% endfor %}",
    "{% set ns = namespace(x=0) %}{% set ns.x = s.price %}{{ ns.x }}{% for i in range(3) %}{{ i }}{% endfor %}",
    "{% for t in tags %}{{ loop.cycle('odd', 'even') }}{{ loop.changed(t) }}{% endfor %}",
    "{% autoescape true %}{{ name }}{% endautoescape %}{% raw %}{{ nope.nope }}{% endraw %}{# {{ nope }} #}",
    "{{ kind }} {{ kind.upper() }} {{ price | round(1) }} {{ n * 2 + price }} {{ name ~ n }}",
    "{{ -n }} {{ n in [1, 2] }} {{ n == 3 and not yes }} {{ loop.index if loop is defined else '' }}",
    "{{ s.title if yes else s.author.name }} {{ (s.author if yes else pet).name }} {{ n is divisibleby 3 }}",
    "{{ s | tojson(indent=2) }} {{ '%s-%s' | format(name, n) }} {{ tags | length > 1 }}",
]

WRONG: list[tuple[str, str, int, str]] = [
    ("a\n\n{{ s.titel }}", "template-path", 3, "`titel`"),
    ("{{ s.author.nam }}", "template-path", 1, "`s.author` is Author"),
    ("{{ s['titel'] }}", "template-path", 1, "`titel`"),
    ("{% for line in s.lines %}\n{{ line.skuu }}\n{% endfor %}", "template-path", 2, "`line` is Line"),
    ("{% for l in s.lines %}{% for i in l.items %}\n{{ i.x }}{% endfor %}{% endfor %}", "template-path", 2, "int"),
    ("{{ name.title.x }}", "template-path", 1, "`name.title` is a function"),
    ("{% for a in authors if a.nik %}{% endfor %}", "template-path", 1, "`nik`"),
    ("{% for a in authors %}{% else %}\n{{ a.name }}{% endfor %}", "template-variable", 2, "`a`"),
    ("{% for t in trees recursive %}\n{{ loop(t.children) }}{% endfor %}", "template-path", 2, "`children`"),
    ("{% for t in trees recursive %}{{ t.label }}{{ loop(s.lines) }}{% endfor %}", "template-path", 1, "`label`"),
    ("{% for a in authors %}{{ loop.indx }}{% endfor %}", "template-path", 1, "`indx`"),
    ("{% for a in authors %}{{ loop.previtem.nme }}{% endfor %}", "template-path", 1, "`nme`"),
    ("{{ loop.index }}", "template-variable", 1, "`loop`"),
    ("{% for k, a in byname.items() %}\n\n{{ a.nme }}{% endfor %}", "template-path", 3, "`nme`"),
    ("{% for k, a in byname.items() %}{{ k.nme }}{% endfor %}", "template-path", 1, "`k` is str"),
    ("{% for a in byname %}{{ a.name }}{% endfor %}", "template-path", 1, "`a` is str"),
    ("{% for line in s %}{{ line.sku }}{% endfor %}", "template-path", 1, "`line` is str"),
    ("{% for k, v in s.items() %}{{ k }}{% endfor %}", "template-path", 1, "cannot be called"),
    ("{% for a, b, c in pairs %}{% endfor %}", "template-path", 1, "3 names"),
    ("{% for a, b in s.lines[0]['items'] %}{% endfor %}", "template-path", 1, "2 names"),
    ("{% for x in n %}{% endfor %}", "template-path", 1, "nothing to loop over"),
    ("{% for x in s.price %}{% endfor %}", "template-path", 1, "nothing to loop over"),
    ("{% for x in s.author.values %}{% endfor %}", "template-path", 1, "a function"),
    ("{{ name.foo }}", "template-path", 1, "`name` is str"),
    ("{{ n.foo }}", "template-path", 1, "`n` is int"),
    ("{{ yes.foo }}", "template-path", 1, "`yes` is bool"),
    ("{{ kind.foo }}", "template-path", 1, "Literal['a', 'b']"),
    ("{{ n[0] }}", "template-path", 1, "no item 0"),
    ("{{ n[n] }}", "template-path", 1, "no items"),
    ("{{ n[1:] }}", "template-path", 1, "no items"),
    ("{{ tags.foo }}", "template-path", 1, "list[str]"),
    ("{{ tags.append('x') }}", "template-path", 1, "`append`"),
    ("{{ tags[0].foo }}", "template-path", 1, "`tags[0]` is str"),
    ("{{ authors.name }}", "template-path", 1, "list[Author]"),
    ("{{ authors[0].nme }}", "template-path", 1, "`nme`"),
    ("{{ authors[-1].nme }}", "template-path", 1, "`nme`"),
    ("{{ authors[n].nme }}", "template-path", 1, "`nme`"),
    ("{{ authors[1:][0].nme }}", "template-path", 1, "`nme`"),
    ("{{ pair[2] }}", "template-path", 1, "no item 2"),
    ("{{ pair[1].nme }}", "template-path", 1, "`nme`"),
    ("{{ ages.ann.x }}", "template-path", 1, "int"),
    ("{{ s.maybe.nme }}", "template-path", 1, "`nme`"),
    ("{{ pet.barksss }}", "template-path", 1, "Cat | Dog"),
    ("{% for p in pets %}{{ p.wings }}{% endfor %}", "template-path", 1, "Cat | Dog"),
    ("{{ tree.kids[0].kids[0].lable }}", "template-path", 1, "`lable`"),
    ("{{ s.author.values }}", "template-path", 1, "a function"),
    ("{{ name.upper }}", "template-path", 1, "a function"),
    ("{{ name() }}", "template-path", 1, "cannot be called"),
    ("{{ s.titel is string }}", "template-path", 1, "`titel`"),
    ("{{ s.nope.deeper | default('-') }}", "template-path", 1, "`nope`"),
    ("{% if s.nope is defined %}{% else %}{{ s.nope }}{% endif %}", "template-path", 1, "`nope`"),
    ("{% if s.nope %}{% endif %}", "template-path", 1, "`nope`"),
    ("{% if n %}\n{% elif s.nope %}{% endif %}", "template-path", 2, "`nope`"),
    ("{{ 'a' if s.nope else 'b' }}", "template-path", 1, "`nope`"),
    ("{{ n + s.nope }}", "template-path", 1, "`nope`"),
    ("{{ n == s.nope }}", "template-path", 1, "`nope`"),
    ("{{ name ~ s.nope }}", "template-path", 1, "`nope`"),
    ("{{ [1, s.nope] }}{{ {'a': 1}.b }}", "template-path", 1, "`nope`"),
    ("{{ name | replace('a', s.nope) }}", "template-path", 1, "`nope`"),
    ("{{ tags[s.nope] }}", "template-path", 1, "`nope`"),
    ("{% set a = s.author %}\n{{ a.nme }}", "template-path", 2, "`a` is Author"),
    ("{% if yes %}{% set x = s.author %}{% else %}{% set x = s.lines[0] %}{% endif %}{{ x.nope }}",
     "template-path", 1, "Author | Line"),
    ("{% with a = s.author %}\n{{ a.nme }}{% endwith %}", "template-path", 2, "`nme`"),
    ("{% with a = 1 %}{% endwith %}{{ a }}", "template-variable", 1, "`a`"),
    ("{% for a in authors %}{% set seen = a %}{% endfor %}\n{{ seen }}", "template-variable", 2, "another part"),
    ("{% macro m(a) %}\n{{ a.nme }}{% endmacro %}\n{{ m(s.author) }}", "template-path", 2, "`nme`"),
    ("{% macro m(a=s.author) %}{{ a.nme }}{% endmacro %}{{ m() }}", "template-path", 1, "`nme`"),
    ("{% macro m(a) %}{{ a.nme }}{% endmacro %}{{ m(a=s.author) }}", "template-path", 1, "`nme`"),
    ("{% macro m() %}{{ nope }}{% endmacro %}{{ m() }}", "template-variable", 1, "`nope`"),
    ("{% macro m() %}{{ caller(s.author) }}{% endmacro %}{% call(a) m() %}\n{{ a.nme }}{% endcall %}",
     "template-path", 2, "`nme`"),
    ("{% filter upper %}\n{{ s.nope }}{% endfilter %}", "template-path", 2, "`nope`"),
    ("{% set x %}\n{{ s.nope }}{% endset %}", "template-path", 2, "`nope`"),
    ("{{ authors | map(attribute='nme') | join }}", "template-path", 1, "an item of `authors`"),
    ("{{ s.lines | map(attribute='items.x') | list }}", "template-path", 1, "list[int]"),
    ("{{ authors | sort(attribute='born,nme') }}", "template-path", 1, "`nme`"),
    ("{{ authors | selectattr('nme') | list }}", "template-path", 1, "`nme`"),
    ("{{ authors | groupby('nme') }}", "template-path", 1, "`nme`"),
    ("{{ s.lines | sum('cout') }}", "template-path", 1, "`cout`"),
    ("{{ authors | join(', ', 'nme') }}", "template-path", 1, "`nme`"),
    ("{{ (authors | min(attribute='bron')).name }}", "template-path", 1, "`bron`"),
    ("{{ (authors | first).nme }}", "template-path", 1, "`nme`"),
    ("{{ (authors | sort(attribute='name') | last).nme }}", "template-path", 1, "`nme`"),
    ("{% for row in authors | batch(2) %}{{ row.name }}{% endfor %}", "template-path", 1, "list[Author]"),
    ("{{ n | first }}", "template-path", 1, "nothing to loop over"),
    ("{{ (name | upper).foo }}", "template-path", 1, "str"),
    ("{{ nme }}", "template-variable", 1, "`nme`"),
    ("ok {{ name }}\n{% if nme %}{% endif %}", "template-variable", 2, "`nme`"),
    ("{% for x in nope.x %}{% endfor %}", "template-variable", 1, "`nope`"),
    ("{{ lipsum() }}", "template-variable", 1, "`lipsum`"),
    ("{{ name | uper }}", "template-filter", 1, "`uper`"),
    ("\n{% block x %}{% endblock %}", "template-tag", 2, "block"),
    ("\n\n{{ name", "template-syntax", 3, "end of template"),
    ("{% for x in tags %}", "template-syntax", 1, "endfor"),
]  # fmt: skip


@pytest.mark.parametrize("source", RIGHT)
def test_a_right_template_passes_and_renders(source: str) -> None:
    assert check_template(source, SCHEMAS) == ()
    Template(source).render(JSON)


@pytest.mark.parametrize(("source", "code", "line", "words"), WRONG)
def test_a_wrong_template_is_found_with_its_line(source: str, code: str, line: int, words: str) -> None:
    found = check_template(source, SCHEMAS)
    assert [(one.code, one.line) for one in found[:1]] == [(code, line)]
    assert words in found[0].message
    assert found[0].remedy


def test_a_wrong_template_also_fails_when_it_runs() -> None:
    # Wherever a run gets there. These few do not fail with these values, and are typing slips all the same.
    unreached = ("{% else %}", "{% elif", " recursive ", "is string", "sort(attribute='born,nme')")
    for source, *_ in WRONG:
        if not any(part in source for part in unreached):
            with pytest.raises(TemplateError):
                Template(source).render(JSON)


def test_all_mistakes_are_told_at_once_in_order_of_lines() -> None:
    source = "{{ s.nope }}\n{{ nope }}\n{{ name | uper }}\n{{ s.nope }}"
    assert [(one.code, one.line) for one in check_template(source, SCHEMAS)] == [
        ("template-path", 1),
        ("template-variable", 2),
        ("template-filter", 3),
        ("template-path", 4),
    ]


def only(source: str, variables: Mapping[str, Schema] = SCHEMAS) -> TemplateProblem:
    (found,) = check_template(source, variables)
    return found


def test_a_typing_slip_is_answered_with_the_right_name() -> None:
    assert only("{{ s.titel }}").remedy == "did you mean `title`?"
    assert only("{{ nmae }}").remedy == "did you mean `name`?"
    assert only("{{ name | uper }}").remedy == "did you mean `upper`?"
    found = only("{{ s.author.xyz }}")
    assert (found.expected, found.got) == ("name, born, nick", "xyz")


def test_a_mistake_in_a_macro_is_told_once() -> None:
    only("{% macro m(a) %}{{ a.nme }}{% endmacro %}{{ m(s.author) }}{{ m(authors[0]) }}")


def test_an_expression_too_deep_to_be_looked_at_is_a_problem_of_the_template() -> None:
    lengths = range(100, 1000, 50)  # wherever it is given up: read, walked, compiled
    told = [check_template("{{ " + " + ".join(["n"] * length) + " }}", SCHEMAS) for length in lengths]
    assert {tuple(one.code for one in found) for found in told} == {(), ("template-syntax",)}


def test_a_recursive_macro_and_a_recursive_type_come_to_an_end() -> None:
    source = "{% macro m(t) %}{{ m(t.kids[0]) }}{{ m(t) }}{{ m(t.kids[1]) }}{% endmacro %}{{ m(tree) }}"
    assert check_template(source, SCHEMAS) == ()


def test_a_method_of_the_model_is_no_field_of_its_json() -> None:
    assert check_template("{{ s.author.model_dump() }}", SCHEMAS)[0].code == "template-path"


def test_an_object_without_any_field_says_so() -> None:
    empty: Schema = {"type": "object", "properties": {}, "title": "Empty"}
    assert "Empty" in only("{{ e.x }}", {"e": empty}).message


def test_variables_that_nothing_uses_are_named() -> None:
    source = "{{ name }}{% if yes %}{{ s.title }}{% endif %}{% for n in tags %}{{ n }}{% endfor %}"
    chosen = {name: SCHEMAS[name] for name in ("name", "yes", "s", "n", "tags", "opt")}
    assert unused_variables(source, chosen) == ("n", "opt")
    assert unused_variables("{{ name", chosen) == ()


# A value valid under a schema renders if and only if the checker lets the template pass. The grammar keeps to what both
# sides can decide: required fields, no None, non-empty lists.

FIELD_NAMES = st.sampled_from(["title", "items", "keys", "values", "get", "name", "x", "upper"])
SCALARS: list[Schema] = [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"type": "number"}]


def _objects(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    fields = st.dictionaries(FIELD_NAMES, inner, min_size=1, max_size=3)
    return fields.map(lambda made: {"type": "object", "properties": made, "required": list(made), "title": "Thing"})


TYPES = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(_objects(inner), inner.map(lambda one: {"type": "array", "items": one})),
    max_leaves=6,
)


def _value(schema: Schema) -> Any:
    match schema["type"]:
        case "object":
            return {name: _value(one) for name, one in schema["properties"].items()}
        case "array":
            return [_value(schema["items"])] * 2
        case kind:
            return {"string": "text", "integer": 7, "boolean": True, "number": 0.5}[kind]


ACCESS = st.one_of(
    FIELD_NAMES.map(lambda name: f".{name}"),
    FIELD_NAMES.map(lambda name: f"['{name}']"),
    st.sampled_from(["[0]", "[-1]", "[:1]"]),
    st.sampled_from([" | first", " | list", ".items()", ".values()", ".keys()", ".upper()"]),
)
SIGNS = st.sampled_from(["+", "-", "*", "/", "//", "~", "==", "<", ">="])
ROOTS = st.sampled_from(["a", "b", "item", "held"])


@st.composite
def _paths(draw: st.DrawFn) -> str:
    path = draw(ROOTS)
    for step in draw(st.lists(ACCESS, max_size=3)):
        path = f"({path}{step})"
    return path


def _wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(_paths(), SIGNS, _paths(), inner).map(lambda p: f"{{{{ {p[0]} {p[1]} {p[2]} }}}}{p[3]}"),
        st.tuples(_paths(), inner).map(lambda p: f"{{% for item in {p[0]} %}}{{{{ item }}}}{p[1]}{{% endfor %}}"),
        st.tuples(_paths(), inner).map(lambda p: f"{{% set held = {p[0]} %}}{{{{ held }}}}{p[1]}"),
        st.tuples(_paths(), inner).map(lambda p: f"{{% with held = {p[0]} %}}{{{{ held }}}}{p[1]}{{% endwith %}}"),
        st.tuples(_paths(), inner).map(
            lambda p: f"{{% macro m(item) %}}{{{{ item }}}}{p[1]}{{% endmacro %}}{{{{ m({p[0]}) }}}}"
        ),
        st.tuples(_paths(), inner).map(lambda p: f"{{% if {p[0]} %}}{{% endif %}}{p[1]}"),
    )


TEMPLATES = st.recursive(_paths().map("{{{{ {} }}}}".format), _wrapped, max_leaves=3)


@settings(max_examples=1000, deadline=None)
@given(TYPES, TYPES, TEMPLATES)
def test_a_template_passes_if_and_only_if_it_renders(a: Schema, b: Schema, source: str) -> None:
    found = check_template(source, {"a": a, "b": b})
    try:
        Template(source).render({"a": _value(a), "b": _value(b)})
    except TemplateError as error:
        # The values of an object differ in type, and a union is let pass when any member has the field.
        # Lists compare by their items, and with an empty one always.
        lists = "array" in str((a, b)) and "not supported between" in str(error)
        assert found or lists or ".values()" in source or ".items()" in source, f"renders not: {error.problem}"
    else:
        assert not found, f"renders, but: {found}"


# With unions and Optionals the checker may let pass what some values refuse. But what renders with every value is never
# refused.


def _values(schema: Schema) -> list[Any]:
    """A value of every alternative."""
    if "anyOf" in schema:
        return [value for option in schema["anyOf"] for value in _values(option)]
    match schema["type"]:
        case "null":
            return [None]
        case "object":
            names = list(schema["properties"])
            every = itertools.product(*(_values(schema["properties"][name]) for name in names))
            return [dict(zip(names, values, strict=True)) for values in every][:8]
        case "array":
            return [[value] * 2 for value in _values(schema["items"])]
        case _:
            return [_value(schema)]


UNIONS = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: st.one_of(
        _objects(inner),
        inner.map(lambda one: {"type": "array", "items": one}),
        inner.map(lambda one: {"anyOf": [one, {"type": "null"}]}),
        st.tuples(inner, inner).map(lambda two: {"anyOf": list(two)}),
    ),
    max_leaves=5,
)


@settings(max_examples=1000, deadline=None)
@given(UNIONS, TEMPLATES)
def test_a_template_that_renders_with_every_value_of_a_union_passes(a: Schema, source: str) -> None:
    found = check_template(source, {"a": a, "b": {"type": "string"}})
    try:
        for value in _values(a):
            Template(source).render({"a": value, "b": "text"})
    except TemplateError:
        return
    assert not found, f"renders with every value, but: {found}"
