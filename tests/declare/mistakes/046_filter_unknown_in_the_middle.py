# expect: code=template-filter line=here hint=to_markdown
from chainlab import chain, fill, prompt


@prompt("""Make a table of these rows.
{% for row in rows %}
{{ row | to_markdown }}{# <- here #}
{% endfor %}
""")
def table(rows: list[str]) -> str: return fill()


@chain
def tables(rows: list[str]) -> str:
    return table(rows)
