"""Templates that try to get out of the renderer, or to exhaust it: what a stranger may send. Data only; knows no test.

Each must end in a text or in one typed error, soon, and give neither canary away: `ENVIRONMENT` is to be set in the
attacked process as the variable `VARIABLE`, `FILE` is this file, and holds `CONTENT`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

VARIABLE = "CHAINLAB_CANARY"
ENVIRONMENT = "yellow-bird-in-the-environment"
CONTENT = "yellow-bird-in-a-file"
FILE = __file__


@dataclass(frozen=True, slots=True)
class Attack:
    """A template, the values it is rendered with, and what it is called."""

    name: str
    template: str
    values: dict[str, Any] = field(default_factory=dict)


_READ_ENVIRONMENT = f"environ['{VARIABLE}']"
_READ_FILE = f"open('{FILE}').read()"

ESCAPES = (
    Attack("class of text", "{{ ''.__class__ }}"),
    Attack("mro", "{{ ''.__class__.__mro__[1].__subclasses__() }}"),
    Attack("mro of a type, as a method", "{{ dict.mro()[-1].__subclasses__() }}"),
    Attack("class by subscript", "{{ ''['__class__']['__base__']['__subclasses__']() }}"),
    Attack("class by a joined name", "{{ ''['__cla' ~ 'ss__']['__ba' ~ 'se__'] }}"),
    Attack("class by a reversed name", "{{ ''['__ssalc__' | reverse] }}"),
    Attack("class by escapes", "{{ ''['\\x5f\\x5fclass\\x5f\\x5f']['\\u005f\\u005fbase__'] }}"),
    Attack("class by a value", "{{ x[name][base] }}", {"x": "", "name": "__class__", "base": "__base__"}),
    Attack("class by attr", "{{ '' | attr('__class__') | attr('__base__') }}"),
    Attack("class by attr in map", "{{ [''] | map('attr', '__class__') | list }}"),
    Attack("class by attribute in map", "{{ [''] | map(attribute='__class__') | list }}"),
    Attack("class by a dotted attribute", "{{ [''] | map(attribute='__class__.__base__') | list }}"),
    Attack("class by sort", "{{ ['', 'a'] | sort(attribute='__class__.__name__') }}"),
    Attack("class by groupby", "{{ [''] | groupby('__class__') }}"),
    Attack("class by sum", "{{ [''] | sum(attribute='__class__', start='') }}"),
    Attack("class by selectattr", "{{ [''] | selectattr('__class__') | list }}"),
    Attack("class by unique", "{{ ['', 1] | unique(attribute='__class__') }}"),
    Attack("class by join", "{{ [''] | join(',', attribute='__class__') }}"),
    Attack("class by format", "{{ '{0.__class__.__base__}'.format('') }}"),
    Attack("class by format with a name", "{{ '{x.__class__}'.format(x=1) }}"),
    Attack("class by format in format", "{{ '{0.{1}}'.format('', '__class__') }}"),
    Attack("class by format_map", "{{ '{x.__class__}'.format_map({'x': 1}) }}"),
    Attack("class by format through attr", "{{ ('{0.__class__}' | attr('format'))('') }}"),
    Attack("class by format through map", "{{ ['{0.__class__}'] | map('attr', 'format') | first }}"),
    Attack("class by format of Markup", "{{ ('{0.__class__}' | e).format(1) }}"),
    Attack("class by format that was set", "{% set f = '{0.__class__}'.format %}{{ f(1) }}"),
    Attack(
        "class by format as a macro's argument",
        "{% macro m(f) %}{{ f(1) }}{% endmacro %}{{ m('{0.__class__}'.format) }}",
    ),
    Attack("class by format called by map", "{{ [1] | map('{0.__class__}'.format) | list }}"),
    Attack("class by percent", "{{ '%(__class__)s' % {} }}"),
    Attack("a value's format string", "{{ x.format(x) }}", {"x": "{0.__class__.__mro__}"}),
    Attack("globals of lipsum", "{{ lipsum.__globals__['os']." + _READ_ENVIRONMENT + " }}"),
    Attack("globals of cycler", "{{ cycler.__init__.__globals__.os." + _READ_ENVIRONMENT + " }}"),
    Attack("globals of joiner", "{{ joiner.__init__.__globals__.os." + _READ_ENVIRONMENT + " }}"),
    Attack("globals of namespace", "{{ namespace.__init__.__globals__.os." + _READ_ENVIRONMENT + " }}"),
    Attack("globals of range", "{{ range.__globals__ }}"),
    Attack("globals of an object's method", "{{ x.items.__globals__ }}", {"x": {"a": 1}}),
    Attack("parts of an object's method", "{{ x.items.func(x.items.args[0]) }}", {"x": {"a": 1}}),
    Attack("owner of an object's method", "{{ x.get.__self__ }}{{ x.keys.__self__ }}", {"x": {"a": 1}}),
    Attack("globals of self", "{{ self.__init__.__globals__ }}"),
    Attack("self itself", "{{ self._TemplateReference__context.environment }}"),
    Attack("globals of a macro", "{% macro m() %}{% endmacro %}{{ m.__call__.__globals__ }}"),
    Attack("function of a macro", "{% macro m() %}{% endmacro %}{{ m._func.__code__ }}"),
    Attack("environment of a macro", "{% macro m() %}{% endmacro %}{{ m._environment.globals }}"),
    Attack("globals of caller", "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}"),
    Attack("globals of loop", "{% for i in [1] %}{{ loop.__init__.__globals__ }}{% endfor %}"),
    Attack("iterator of loop", "{% for i in [1] %}{{ loop._iterator.__class__ }}{% endfor %}"),
    Attack("undefined's globals", "{{ nothing.__init__.__globals__ }}"),
    Attack("undefined's class", "{{ (nothing | default(nothing)).__class__ }}"),
    Attack("frame of a generator", "{{ (x | map('upper')).gi_frame.f_back.f_globals }}", {"x": ["a"]}),
    Attack("frame of an exception", "{{ x.__traceback__.tb_frame }}", {"x": "a"}),
    Attack("code of a function", "{{ dict.fromkeys.__code__ }}{{ range.__code__ }}"),
    Attack("builtins", "{{ __builtins__." + _READ_FILE + " }}"),
    Attack("open", "{{ " + _READ_FILE + " }}"),
    Attack("open by the builtins", "{{ cycler.__init__.__globals__.__builtins__." + _READ_FILE + " }}"),
    Attack("import", "{{ __import__('os')." + _READ_ENVIRONMENT + " }}"),
    Attack("import statement", "{% import 'os' as os %}{{ os." + _READ_ENVIRONMENT + " }}"),
    Attack("include a file", "{% include '" + FILE + "' %}"),
    Attack("include a computed name", "{% include ['a', '" + FILE + "'] ignore missing %}"),
    Attack("extend a file", "{% extends '" + FILE + "' %}"),
    Attack("from a file", "{% from '" + FILE + "' import x with context %}"),
    Attack("a block's super", "{% block a %}{{ super.__globals__ }}{% endblock %}"),
    Attack("the do tag", "{% do x.append(1) %}", {"x": []}),
    Attack("the debug tag", "{% debug %}"),
    Attack("the environment by name", "{{ environment }}{{ context }}{{ resolve }}{{ undefined }}"),
    Attack("the compiler's names", "{{ l_0_x }}{{ t_1 }}{{ root }}{{ __jinja_template__ }}"),
    Attack("the context's parent", "{{ context.parent }}{{ self._context }}"),
    Attack("the private filters", "{{ 1 | <print> }}{{ 1 | print }}"),
    Attack("the private filters by map", "{{ [1] | map('<piece>', 0) | list }}{{ [1] | map('<print>') | list }}"),
    Attack("setting an attribute of a type", "{% set dict.x = 1 %}"),
    Attack("setting a class of a namespace", "{% set n = namespace() %}{% set n.__class__ = dict %}{{ n }}"),
    Attack("changing a value", "{{ x.update(a=1) }}{{ x.y.append(1) }}", {"x": {"y": []}}),
    Attack(
        "changing a value by its type", "{{ dict.update(x, a=1) }}{{ x.y.__class__.append(x.y, 1) }}", {"x": {"y": []}}
    ),
    Attack(
        "keys that are attributes",
        "{{ x.__class__ }}{{ x['__globals__'] }}",
        {"x": {"__class__": "a", "__globals__": 1}},
    ),
    Attack("a name that is a global", "{{ range(3) }}{{ self }}{{ dict }}", {"range": 1, "dict": "a"}),
    Attack(
        "names of the call", "{{ context }}{{ environment }}{{ caller }}", {"context": 1, "environment": 2, "caller": 3}
    ),
    Attack("a codec that is a module", "{{ 'a'.encode('rot13') }}{{ 'YQ=='.encode().decode('base64') }}"),
    Attack("a codec that is imported", "{{ 'a'.encode('mbcs') }}{{ 'a'.encode('os') }}{{ 'a'.encode('../os') }}"),
    Attack(
        "bytes to a name", "{{ x['5f5f636c6173735f5f'.encode().fromhex('5f5f636c6173735f5f').decode()] }}", {"x": ""}
    ),
    Attack("translate to a name", "{{ ''['xxclassxx'.translate({120: '_'})] }}"),
    Attack("full-width underscores", "{{ ''.＿＿class＿＿ }}{{ ''['＿＿class＿＿'] }}"),
    Attack("letters that normalise", "{{ ''.__ｃlass__ }}{{ ''.__ⅽlass__.__mro__ }}"),
    Attack("a name that normalises to another", "{% set ﬁ = 1 %}{{ fi }}{{ ﬁ.__ｃlass__ }}"),
    Attack("Python in a name", "{{ a\n=__import__('os') }}{{ x }}"),
    Attack("Python in a string", '{{ \'\\\'); import os; (\\\'\' }}{{ """a""" }}'),
    Attack("Python in a macro's name", "{% macro __import__(a) %}{% endmacro %}{{ __import__('os') }}"),
    Attack("a macro that is a keyword", "{% macro None() %}{% endmacro %}{% set True = 1 %}"),
    Attack(
        "a keyword argument of the call",
        "{% macro m(a) %}{% endmacro %}{{ m(**{'__self': 1, '__obj': 2, 'caller': 3}) }}",
    ),
    Attack("the arguments of call", "{{ range(_Context__self=1) }}{{ dict(__self=1, __context=2, __obj=3) }}"),
    Attack("a line statement", "# for x in y\n## comment\n% for x in y\n"),
    Attack("other delimiters", "<% x %>${x}#{x}[[ x ]]{!r}{0}%s%(x)s"),
)

_MANY = "range(99999)"


def _growing(step: str, end: str = "", start: str = "'a'", times: int = 99) -> str:
    # A template that replaces `n.x` again and again.
    loop = f"{{% for i in range({times}) %}}{{% set n.x = {step} %}}{{% endfor %}}"
    return f"{{% set n = namespace(x={start}) %}}{loop}{end}"


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


BOMBS = (
    Attack("a large range", "{{ range(10**9) | length }}"),
    Attack("a range of ranges", "{{ range(99999) | map('string') | map('list') | map('length') | sum }}"),
    Attack("two loops", "{% for a in " + _MANY + " %}{% for b in " + _MANY + " %}{% endfor %}{% endfor %}"),
    Attack("twenty loops", "{% for a in range(9) %}" * 19 + "{{ a }}" + "{% endfor %}" * 19),
    Attack("a recursive loop", "{% for a in x recursive %}{{ loop(x) }}{% endfor %}", {"x": [1, 2]}),
    Attack(
        "a loop that looks back",
        "{% for a in " + _MANY + " %}{{ loop.previtem }}{{ loop.cycle(*" + _MANY + ") }}{% endfor %}",
    ),
    Attack(
        "a loop that filters", "{% for a in " + _MANY + " if a in (" + _MANY + " | list) and a > 99998 %}{% endfor %}"
    ),
    Attack("multiplied text", "{{ 'a' * 10**10 }}"),
    Attack("multiplied text, the other way", "{{ 10**10 * 'a' }}"),
    Attack("multiplied list", "{{ ([0] * 10**9) | length }}"),
    Attack("multiplied bytes", "{{ ('a'.encode() * 10**10) | length }}"),
    Attack("text that doubles", _growing("n.x + n.x")),
    Attack("text that doubles by ~", _growing("n.x ~ n.x")),
    Attack("a list that doubles", _growing("n.x + n.x", start="[1]")),
    Attack("text that replaces itself", _growing("n.x.replace('a', n.x)", start="'aa'", times=9)),
    Attack("lists in lists", _growing("[n.x, n.x]", "{{ n.x }}", start="[]")),
    Attack("lists in lists as JSON", _growing("[n.x, n.x]", "{{ n.x | tojson }}", start="[]")),
    Attack(
        "lists in lists, compared",
        "{% set n = namespace(x=[], y=[]) %}{% for i in range(64) %}{% set n.x = [n.x, n.x] %}"
        "{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}",
    ),
    Attack("a deep list", _growing("[n.x]", "{{ n.x }}", start="[]", times=99999)),
    Attack("a deep list, compared", _growing("[n.x]", "{{ n.x == [n.x] }}", start="[]", times=99999)),
    Attack("a power", "{{ 9 ** 9 ** 9 }}"),
    Attack("a power of a fraction", "{{ 9.9 ** 9 ** 9 }}"),
    Attack("a power with a modulus", "{{ (9 ** 99999) % 7 }}"),
    Attack("a number that squares itself", _growing("n.x * n.x", "{{ n.x }}", start="9")),
    Attack("a number of many digits", "{{ '9' * 10**6 | int }}{{ ('9' * 10**6) | int }}{{ ('9' * 10**6) | float }}"),
    Attack("a number in the source", "{{ " + "9" * 1_000_000 + " }}"),
    Attack("a float in the source", "{{ 1e" + "9" * 100_000 + " }}"),
    Attack("percent with a width", "{{ '%1000000000d' % 1 }}"),
    Attack("percent with a precision", "{{ '%.1000000000f' % 1 }}"),
    Attack("percent with a star", "{{ '%*d' % (2000000000, 1) }}"),
    Attack("percent with more than a machine word", "{{ '%99999999999999999999d' % 1 }}"),
    Attack("format with a width", "{{ '{:>1000000000}'.format(1) }}"),
    Attack("format with a precision", "{{ '{:.1000000000f}'.format(1) }}"),
    Attack("format with a width that is a value", "{{ '{:{}}'.format(1, 2000000000) }}"),
    Attack("the filter format", "{{ '%1000000000d' | format(1) }}"),
    Attack("center", "{{ 'a' | center(10**9) }}"),
    Attack("center, constant", "{{ 'a' | center(1000000000) }}"),
    Attack("center, constant, in autoescape", "{% autoescape 'a' | center(1000000000) %}{% endautoescape %}"),
    Attack("ljust", "{{ 'a'.ljust(10**9) }}{{ 'a'.rjust(10**9) }}"),
    Attack("zfill", "{{ 'a'.zfill(10**9) }}"),
    Attack("expandtabs", "{{ '\\t'.expandtabs(10**9) }}"),
    Attack("join", "{{ ('a' * 10**5).join(" + _MANY + " | map('string')) }}"),
    Attack("the filter join", "{{ " + _MANY + " | join('a' * 10**5) }}"),
    Attack("indent", "{{ ('\\n' * 10**5) | indent(10**6, true, true) }}"),
    Attack("indent by text", "{{ ('\\n' * 10**5) | indent('a' * 10**5, true, true) }}"),
    Attack("batch", "{{ [1] | batch(10**9, 0) }}"),
    Attack("slice", "{{ [1] | slice(10**9, 0) }}"),
    Attack("wordwrap", "{{ ('a ' * 10**6) | wordwrap(1, true, 'a' * 1000) }}"),
    Attack("replace", "{{ ('a' * 10**6) | replace('a', 'a' * 10**6) }}"),
    Attack("replace nothing", "{{ ('a' * 10**6) | replace('', 'a' * 10**6) }}"),
    Attack("tojson with an indent", "{{ [[[[1]]]] | tojson(indent=10**9) }}"),
    Attack("pprint", "{{ " + _MANY + " | list | pprint }}"),
    Attack("truncate", "{{ 'a' | truncate(-10**9) }}{{ ('a' * 10**6) | truncate(5, true, 'a' * 10**6) }}"),
    Attack("urlize", "{{ ('http://a.b/(((((' * 10**5) | urlize }}"),
    Attack("striptags", "{{ ('<' * 10**6) | striptags }}{{ ('<!--' * 10**5) | striptags }}"),
    Attack("xmlattr", "{{ {'a' * 10**6: 'b' * 10**6} | xmlattr }}"),
    Attack("sort of lists", "{{ (" + _MANY + " | map('string') | map('list') | list) | sort | length }}"),
    Attack(
        "permuted dictsort",
        "{% for i in " + _MANY + " %}{{ x | dictsort }}{% endfor %}",
        {"x": {str(i): i for i in range(1000)}},
    ),
    Attack(
        "groupby in a loop", "{% for i in " + _MANY + " %}{{ " + _MANY + " | groupby('real') | length }}{% endfor %}"
    ),
    Attack("sum of lists", "{{ (" + _MANY + " | map('string') | map('list')) | sum(start=[]) }}"),
    Attack("idna", "{{ ('a.' * 10**6).encode('idna') | length }}"),
    Attack("punycode", "{{ ('ü' * 10**6).encode('punycode') | length }}"),
    Attack("count in a long text", "{{ ('ab' * 10**6).count(('ba' * 10**5) ~ 'b' ~ 'b') }}"),
    Attack("split", "{{ ('a ' * 5 * 10**6).split() | length }}"),
    Attack("a macro that calls itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
    Attack(
        "a macro that calls itself twice",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(90) }}",
    ),
    Attack(
        "macros that call each other",
        "{% macro a(n) %}{{ b(n) }}{% endmacro %}{% macro b(n) %}{{ a([n]) }}{% endmacro %}{{ a(1) }}",
    ),
    Attack(
        "thirty macros, each calls the next twice",
        "".join(f"{{% macro m{i}() %}}{{{{ m{i + 1}() }}}}{{{{ m{i + 1}() }}}}{{% endmacro %}}" for i in range(30))
        + "{% macro m30() %}a{% endmacro %}{{ m0() }}",
    ),
    Attack(
        "a caller of callers",
        "{% macro m() %}{{ caller() }}{{ caller() }}{% endmacro %}"
        + "{% call m() %}" * 15
        + "a"
        + "{% endcall %}" * 15,
    ),
    Attack("a macro's body, kept", "{% set x %}{% for i in " + _MANY + " %}{{ 'a' * 10**5 }}{% endfor %}{% endset %}"),
    Attack(
        "a filter's block", "{% filter upper %}{% for i in " + _MANY + " %}{{ 'a' * 10**5 }}{% endfor %}{% endfilter %}"
    ),
    Attack("a long output", "{% for i in " + _MANY + " %}{{ 'a' * 10**5 }}{% endfor %}"),
    Attack("a long output of one value", "{% for i in " + _MANY + " %}{{ x }}{% endfor %}", {"x": "a" * 100_000}),
    Attack(
        "many empty pieces",
        "{% for i in " + _MANY + " %}{% for j in range(99) %}{{ x.a.b }}{% endfor %}{% endfor %}",
        {"x": {"a": {"b": ""}}},
    ),
    Attack(
        "pieces of a long path",
        "{% for i in " + _MANY + " %}{{ x" + "['" + "a" * 9999 + "']" + " }}{% endfor %}",
        {"x": {"a" * 9999: ""}},
    ),
    Attack("a long message", "{{ x['" + "a" * 3_000_000 + "'] }}", {"x": {}}),
    Attack("a long message of a computed name", "{{ x['ab' * 10**6] }}", {"x": {}}),
    Attack("a name to be guessed", "{{ x['" + "ab" * 20_000 + "'] }}", {"x": {"ba" * 20_000: 1}}),
    Attack("names to be guessed", "{{ x.abcdefgh }}", {"x": {f"abcdefg{i}" * 20: 1 for i in range(2_000)}}),
)

SOURCES = (
    Attack("deep parentheses", "{{ " + "(" * 100_000 + "1" + ")" * 100_000 + " }}"),
    Attack("deep lists", "{{ " + "[" * 50_000 + "]" * 50_000 + " }}"),
    Attack("lists as deep as is read", "{{ " + "[" * 90 + "]" * 90 + " }}"),
    Attack("deep objects", "{{ " + "{1:" * 50_000 + "1" + "}" * 50_000 + " }}"),
    Attack("a long sum", "{{ " + "+".join(["1"] * 50_000) + " }}"),
    Attack("a long concatenation", "{{ " + "~".join(["'a'"] * 50_000) + " }}"),
    Attack("a long comparison", "{{ " + "<".join(["1"] * 50_000) + " }}"),
    Attack("a long and", "{{ " + " and ".join(["1"] * 50_000) + " }}"),
    Attack("many nots", "{{ " + "not " * 50_000 + "1 }}"),
    Attack("many signs", "{{ " + "-" * 50_000 + "1 }}"),
    Attack("many powers", "{{ " + "**".join(["2"] * 50_000) + " }}"),
    Attack("many dots", "{{ x" + ".a" * 50_000 + " }}", {"x": {}}),
    Attack("many subscripts", "{{ x" + "[0]" * 50_000 + " }}", {"x": []}),
    Attack("many calls", "{{ x" + "()" * 50_000 + " }}", {"x": 1}),
    Attack("many filters", "{{ 1" + " | string" * 50_000 + " }}"),
    Attack("many tests", "{{ 1" + " is number" * 50_000 + " }}"),
    Attack("many conditions", "{{ " + "1 if 0 else " * 50_000 + "1 }}"),
    Attack("many elifs", "{% if 0 %}" + "{% elif 0 %}" * 20_000 + "{% endif %}"),
    Attack("deep ifs", "{% if 1 %}" * 5_000 + "{% endif %}" * 5_000),
    Attack("deep loops", "{% for a in [1] %}" * 5_000 + "{% endfor %}" * 5_000),
    Attack("deep macros", "{% macro m() %}" * 500 + "{% endmacro %}" * 500),
    Attack("deep withs", "{% with a = 1 %}" * 90 + "{{ a }}" + "{% endwith %}" * 90),
    Attack("deep sets", "{% set a %}" * 500 + "{% endset %}" * 500),
    Attack("deep autoescapes", "{% autoescape true %}" * 500 + "{% endautoescape %}" * 500),
    Attack("many arguments", "{{ dict(" + ",".join(f"a{i}=1" for i in range(50_000)) + ") }}"),
    Attack("one argument, many times", "{{ dict(" + ",".join(["a=1"] * 300) + ") }}"),
    Attack("many parameters", "{% macro m(" + ",".join(f"a{i}" for i in range(50_000)) + ") %}{% endmacro %}{{ m() }}"),
    Attack("many variables", "".join(f"{{{{ a{i} }}}}" for i in range(50_000))),
    Attack("many statements", "{% set a = 1 %}" * 50_000),
    Attack("many comments", "{# a #}" * 200_000),
    Attack("many lines", "\n" * 2_000_000 + "{{ x }}"),
    Attack("a huge text", "a" * 6_000_000),
    Attack("a text over the limit", "a" * 20_000_000),
    Attack("values over the limit", "{{ x | length }}", {"x": "a" * 20_000_000}),
    Attack("many values", "{{ x | length }}", {"x": list(range(200_000))}),
    Attack("deep values", "{{ x | length }}", {"x": _nested(5_000)}),
    Attack("values as deep as is read", "{{ x }}", {"x": _nested(400)}),
    Attack("spaces before the end", "{{ 1" + " " * 1_000_000),
    Attack("spaces and signs", "{%" + " -" * 100_000),
    Attack("spaces before a tag", (" " * 1_000 + "\n") * 1_000 + "{%- if 1 %}{% endif -%}" + " " * 1_000_000),
    Attack("braces", "{" * 1_000_000),
    Attack("open braces, closed ones", "{{" * 100_000 + "}}" * 100_000),
    Attack("open comments", "{#" * 500_000),
    Attack("open raws", "{% raw %}" * 100_000),
    Attack("a raw that almost ends", "{% raw %}" + "{% endra %}" * 100_000),
    Attack("an open string", "{{ '" + "\\" * 999_999),
    Attack("a string of escapes", "{{ '" + "\\\\" * 500_000 + "' }}"),
    Attack("a string of names", "{{ '" + "\\N{DASH}" * 1_000 + "' }}"),
    Attack("a number that almost is one", "{{ " + "1_" * 100_000 + " }}"),
    Attack("a number with many dots", "{{ " + "1." * 100_000 + " }}"),
    Attack("NUL in the text", "a\0b{{ x }}\0", {"x": "\0"}),
    Attack("NUL in an expression", "{{ \0 }}"),
    Attack("NUL in a string", "{{ 'a\0b' }}{{ x['\0'] }}", {"x": {"\0": 1}}),
    Attack("NUL in a name", "{{ a\0b }}{% set a\0 = 1 %}"),
    Attack("surrogates in the text", "\ud800{{ x }}\udfff", {"x": "\udfff\ud800"}),
    Attack("surrogates in an expression", "{{ \ud800 }}"),
    Attack("surrogates in a string", "{{ '\ud800' }}{{ '\\ud800' }}{{ '\\ud83d\\ude00' }}"),
    Attack("surrogates in a key", "{{ x['\ud800'] }}{{ x }}", {"x": {"\ud800": "\udc00"}}),
    Attack("surrogates that make a pair", "{{ x }}{{ x | length }}{{ x | tojson }}", {"x": "\ud83d\ude00"}),
    Attack("surrogates, encoded", "{{ x.encode('utf-16', 'surrogatepass').decode('utf-16') }}", {"x": "\ud83d\ude00"}),
    Attack("line separators", "a\u2028b\x85c\r\nd\re\x0b{{ x }}\x1c", {"x": "\u2029\x1e"}),
    Attack("right to left", "\u202e{{ x }}\u2066{% if x %}\u2069{% endif %}", {"x": "\u202e"}),
    Attack("zero width in a tag", "{\u200b{ x }\u200b}{%\u200b if x %}"),
    Attack("other spaces in a tag", "{{\u00a0x\u3000}}{%\u2003if x %}{% endif %}", {"x": 1}),
    Attack("digits that are not ours", "{{ ٣ }}{{ x[१] }}{{ ² }}", {"x": [1, 2]}),
    Attack("not a number", "{{ x }}{{ x == x }}{{ [x] | sort }}{{ x | int(3) }}", {"x": float("nan")}),
    Attack("infinite", "{{ x | int }}{{ 'a' * x }}{{ range(x) }}", {"x": float("inf")}),
    Attack("a long number as a value", "{{ x }}{{ x * x }}{{ x | string | length }}", {"x": 7**4_000}),
)

ATTACKS = (*ESCAPES, *BOMBS, *SOURCES)
