from __future__ import annotations

from pydantic import BaseModel

from chainlab import chain, each, fill, prompt


class Node(BaseModel):
    name: str
    children: list[Node] = []
    parent: Node | None = None


@prompt("Draw a tree of {{ text }}.")
def tree(text: str) -> Node: return fill()


@prompt("""{% for child in node.children recursive %}
{{ child.name }}{% if child.children %}{{ loop(child.children) }}{% endif %}
{% endfor %}{{ node.children[0].children[0].name }}""")
def describe(node: Node) -> str: return fill()


@chain
def forest(text: str) -> list[str]:
    node = tree(text)
    return each(node.children, describe)
