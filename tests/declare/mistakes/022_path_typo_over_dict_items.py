# expect: code=template-path line=here hint=prise | did you mean | price
from pydantic import BaseModel

from chainlab import chain, fill, prompt


class Line(BaseModel):
    price: float
    count: int


@prompt("""Write an invoice.
{% for name, line in lines.items() %}
{{ name }}: {{ line.count }} x {{ line.prise }}{# <- here #}
{% endfor %}""")
def invoice(lines: dict[str, Line]) -> str: return fill()


@chain
def bill(lines: dict[str, Line]) -> str:
    return invoice(lines)
