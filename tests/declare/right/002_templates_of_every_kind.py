"""Templates that look odd and are right: no alarm."""
from __future__ import annotations

from pydantic import BaseModel, Field

from chainlab import chain, fill, prompt


class Line(BaseModel):
    name: str
    price: float
    keys: list[str]
    notes: str | None = None


class Order(BaseModel):
    number: int
    items: list[Line]
    by_name: dict[str, Line]
    buyer_name: str = Field(alias="buyerName")
    address: Line | None = None


@prompt(
    """{# a comment with {{ braces }} #}
{%- set total = namespace(value=0) %}
{% for line in order.items if line.price > 0 %}
{{ loop.index }}/{{ loop.length }} {{ line.name | upper | trim }}: {{ '%.2f' | format(line.price) }}
{% set total.value = total.value + line.price %}
{{ line.notes or 'no notes' }}{% if line.notes %} {{ line.notes[:10] }}{% endif %}
{% for key in line.keys %}{{ key }}{{ ", " if not loop.last }}{% else %}none{% endfor %}
{% else %}nothing
{% endfor %}
{% for name, line in order.by_name.items() %}{{ name }} {{ line.price }}{% endfor %}
{{ order.by_name['x'].price }} {{ order['number'] }} {{ order.buyerName }}
{{ order.items | map(attribute='name') | join(', ') }} {{ (order.items | first).name }} {{ order.items[0].name }}
{{ order.items | sum(attribute='price') }} {{ order.items | sort(attribute='price') | length }}
{% macro show(line) %}{{ line.name }}{% endmacro %}{{ show(order.items[-1]) }}
{% if order.address %}{{ order.address.name }}{% endif %}{{ order.address.name if order.address is not none }}
{% if order.address is defined and order.number is divisibleby 2 %}{{ order }}{% endif %}
{% with first = order.items[0] %}{{ first.price }}{% endwith %}
{{ range(3) | list }} {{ dict(a=1).a }} {% raw %}{{ not.a.variable }}{% endraw %}
Total {{ total.value }}
"""
)
def invoice(order: Order) -> str: return fill()


@chain
def bill(order: Order) -> str:
    return invoice(order)
