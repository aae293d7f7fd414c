"""What single Jinja expressions say: the path they name, what their tests guard. Private to `spec/`; knows no types."""

from __future__ import annotations

from typing import TypeAlias

from jinja2 import nodes

Chain: TypeAlias = tuple[str, tuple[str | int, ...]]
"""A variable and the path below it."""

_ATTRIBUTE_AT: dict[str, int | None] = {
    "groupby": 0,
    "join": 1,
    "map": None,  # only as `attribute=`
    "max": 1,
    "min": 1,
    "rejectattr": 0,
    "selectattr": 0,
    "sort": 2,
    "sum": 0,
    "unique": 1,
}


def chain(node: nodes.Node) -> Chain | None:
    """The variable and the path below it that an expression names (`order.lines[0]`); None for any other expression."""
    path: list[str | int] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getattr):
            part: object = node.attr
        elif isinstance(node, nodes.Getitem):
            part = constant(node.arg)
        else:
            return None
        if not isinstance(part, (str, int)) or isinstance(part, bool):
            return None
        path.append(part)
        node = node.node
    return node.name, tuple(reversed(path))


def constant(node: nodes.Node) -> object:
    """The value of a constant, a negative number included; None for anything else."""
    if isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const) and isinstance(node.node.value, int):
        return -node.node.value
    return node.value if isinstance(node, nodes.Const) else None


def attribute_name(node: nodes.Filter) -> str | None:
    """The attribute of the items that a filter takes (`map(attribute='a.b')`), where it is a constant."""
    at = _ATTRIBUTE_AT.get(node.name)
    named = [pair.value for pair in node.kwargs if pair.key == "attribute" and node.name in _ATTRIBUTE_AT]
    given = named or (node.args[at : at + 1] if at is not None else [])
    value = constant(given[0]) if given else None
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def may_be_missing(node: nodes.Filter) -> bool:
    """Whether a filter itself says what to do with an item that lacks the attribute."""
    tested = len(node.args) > 1 and constant(node.args[1]) in ("defined", "undefined")
    return (node.name in ("selectattr", "rejectattr") and tested) or any(pair.key == "default" for pair in node.kwargs)


def guards(test: nodes.Node, outcome: bool) -> frozenset[Chain]:
    """What is certainly defined when a test has this outcome."""
    match test:
        case nodes.Not():
            return guards(test.node, not outcome)
        case nodes.And() if outcome:
            return guards(test.left, True) | guards(test.right, True)
        case nodes.Or() if not outcome:
            return guards(test.left, False) | guards(test.right, False)
        case nodes.Test(name="defined" | "undefined"):
            named = chain(test.node)
            return frozenset({named} if named is not None and (test.name == "defined") is outcome else ())
        case _:
            return frozenset()


def spelled(node: nodes.Node | None) -> str:
    """An expression in a message: `order.lines[0]` as the author wrote it, else "this value"."""
    named = chain(node) if node is not None else None
    if named is None:
        return "this value"
    return "`" + named[0] + "".join(f".{part}" if isinstance(part, str) else f"[{part}]" for part in named[1]) + "`"
