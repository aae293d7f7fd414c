"""The type of every expression of a template, and what is certainly wrong in it. Private to `spec/`.

Knows no statement but those that an expression sets off: a macro's body, a recursive loop's. `default` and `is defined`
are lenient. Unknown, so let pass: results of `groupby` and `map('filter')`, namespaces, recursion deeper than 8, None
without a guard, and whatever a schema leaves open.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

from jinja2 import nodes

from chainlab.spec import _template_types as types
from chainlab.spec._jinja import GLOBALS, did_you_mean, listed
from chainlab.spec._jinja_nodes import Chain, attribute_name, chain, constant, guards, may_be_missing, spelled
from chainlab.spec._template_operators import cannot
from chainlab.spec._template_types import BOOLEAN, STRING, UNKNOWN, Method, plain
from chainlab.spec.schema import NoField, Schema, describe, list_of, object_of, tuple_of, union
from chainlab.spec.template import TemplateProblem


@dataclass(slots=True)
class Scope:
    # The names that a part of the template can see.
    names: dict[str, Type]
    outer: Scope | None = None

    def find(self, name: str) -> Type | None:
        found = self.names.get(name)
        return found if found is not None or self.outer is None else self.outer.find(name)

    def inner(self, **names: Type) -> Scope:
        return Scope(dict(names), self)


@dataclass(frozen=True, slots=True, eq=False)
class Macro:
    # A macro, or the body of a call block, with the names that it can see.
    node: nodes.Macro | nodes.CallBlock
    scope: Scope


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    # `loop`: its fields, and itself as a function where the loop is recursive.
    node: nodes.For
    scope: Scope
    fields: Schema
    seen: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Global:
    name: str


Type: TypeAlias = "Schema | Method | Macro | Loop | Global"
_MOST_CALLS = 200  # macros are inlined at each call: recursion must end
_DEEPEST = 8


class Inference(ABC):
    """The expressions of one check of one template; statements are left to the walk."""

    def __init__(self, tree: nodes.Template, variables: Mapping[str, Schema]) -> None:
        self._tree = tree
        self._variables = variables
        self._found: dict[tuple[str, int, str], TemplateProblem] = {}
        self._guarded: frozenset[Chain] = frozenset()
        self._bound = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
        self._bound |= {macro.name for macro in tree.find_all(nodes.Macro)}
        self._calls = 0
        self._depth = 0

    def report(self, code: str, node: nodes.Node, message: str, known: Sequence[str], got: str, remedy: str) -> None:
        problem = TemplateProblem(code, node.lineno, message, listed(known), got, remedy)
        self._found.setdefault((code, node.lineno, message), problem)

    @abstractmethod
    def block(self, body: Sequence[nodes.Node], scope: Scope) -> None:
        """Walk through statements."""

    @abstractmethod
    def loop_body(self, node: nodes.For, scope: Scope, items: Schema, loop: Loop | None) -> None:
        """Walk through the body of a loop over items of this type."""

    # Guards: what is tested with `is defined` may be missing

    @contextmanager
    def guarded(self, chains: frozenset[Chain]) -> Iterator[None]:
        before = self._guarded
        self._guarded = before | chains
        yield
        self._guarded = before

    # Expressions

    def expr(self, node: nodes.Node | None, scope: Scope, *, lenient: bool = False) -> Type:
        if node is None:
            return UNKNOWN
        walk = getattr(self, f"_a_{type(node).__name__.lower()}", None)
        if walk is None:
            return self._operands(node, scope)
        if isinstance(node, (nodes.Name, nodes.Getattr, nodes.Getitem)):
            found: Type = walk(node, scope, lenient or chain(node) in self._guarded)
        else:
            found = walk(node, scope)
        return found

    def _operands(self, node: nodes.Node, scope: Scope) -> Schema:
        for part in node.iter_child_nodes():
            self.expr(part, scope)
        return UNKNOWN

    def value(self, node: nodes.Node, scope: Scope, use: str) -> Schema:
        # The type of an expression that must be a value: a method that is not called is none.
        found = self.expr(node, scope)
        if isinstance(found, Mapping):
            return found
        self._function(node, found, use)
        return UNKNOWN

    def _function(self, node: nodes.Node, found: Type, use: str) -> None:
        if not isinstance(found, Method) or found.sure:
            message = f"{spelled(node)} is a function here: there is nothing to {use}"
            self.misses(node, message, None, "call it with ()")

    def items(self, node: nodes.Node, value: Schema) -> Schema:
        items = types.iterate(value)
        if items is None:
            self.misses(node, f"{spelled(node)} is {describe(value)}: there is nothing to loop over", value)
            return UNKNOWN
        return items

    def misses(self, node: nodes.Node, message: str, got: Schema | None, remedy: str = "") -> None:
        said = describe(got) if got is not None else "a function"
        self.report("template-path", node, message, (), said, remedy or "correct the expression, or the type")

    def _a_name(self, node: nodes.Name, scope: Scope, lenient: bool) -> Type:
        found = scope.find(node.name)
        if found is not None:
            return found
        if node.name in GLOBALS:
            return Global(node.name)
        if lenient:
            return UNKNOWN
        known = tuple(self._variables)
        if node.name in self._bound:
            message = f"`{node.name}` is set in another part of the template, not here"
            remedy = "a {% set %} in a loop ends with the loop: use namespace(), or set it where it is needed"
        else:
            message = f"the template uses `{node.name}`, which is no variable of this prompt"
            remedy = did_you_mean(node.name, known, f"add a parameter `{node.name}`, or take it out of the template")
        self.report("template-variable", node, message, known, node.name, remedy)
        return UNKNOWN

    def _a_getattr(self, node: nodes.Getattr, scope: Scope, lenient: bool) -> Type:
        return self._field(node, scope, node.attr, lenient)

    def _a_getitem(self, node: nodes.Getitem, scope: Scope, lenient: bool) -> Type:
        key = constant(node.arg)
        if isinstance(key, (str, int)) and not isinstance(key, bool):
            return self._field(node, scope, key, lenient)
        self._operands(node.arg, scope) if isinstance(node.arg, nodes.Slice) else self.expr(node.arg, scope)
        owner = self.value(node.node, scope, "look into")
        found = types.sliced(owner) if isinstance(node.arg, nodes.Slice) else types.subscript(owner)
        if found is None:
            self.misses(node, f"{spelled(node.node)} is {describe(owner)}: it has no items", owner)
            return UNKNOWN
        return found

    def _field(self, node: nodes.Getattr | nodes.Getitem, scope: Scope, key: str | int, lenient: bool) -> Type:
        owner = self.expr(node.node, scope)
        if isinstance(owner, Method):
            self._function(node.node, owner, "look into")
        if isinstance(owner, Loop):
            owner = owner.fields
        if not isinstance(owner, Mapping):
            return UNKNOWN
        found = types.field(owner, key, attribute=isinstance(node, nodes.Getattr))
        if not isinstance(found, NoField):
            return found
        if not lenient:
            self._no_field(node, spelled(node.node), found)
        return UNKNOWN

    def _no_field(self, node: nodes.Node, owner: str, missing: NoField) -> None:
        what = f"item {missing.field}" if isinstance(missing.field, int) else f"field `{missing.field}`"
        otherwise = "use one of its fields"
        if not missing.known:
            looped = missing.type.startswith("list[")
            otherwise = "go through it with {% for %}" if looped else "print it whole, or change its type"
        remedy = did_you_mean(missing.field, missing.known, otherwise)
        message = f"{owner} is {missing.type}, which has no {what}"
        self.report("template-path", node, message, missing.known, str(missing.field), remedy)

    def _a_const(self, node: nodes.Const, scope: Scope) -> Schema:
        return types.of_constant(node.value)

    def _a_templatedata(self, node: nodes.TemplateData, scope: Scope) -> Schema:
        return STRING

    def _a_list(self, node: nodes.List, scope: Scope) -> Schema:
        return list_of(union(*(plain(self.expr(part, scope)) for part in node.items)))

    def _a_tuple(self, node: nodes.Tuple, scope: Scope) -> Schema:
        return tuple_of(*(plain(self.expr(part, scope)) for part in node.items))

    def _a_dict(self, node: nodes.Dict, scope: Scope) -> Schema:
        made: dict[str, Schema] = {}
        for pair in node.items:
            key, value = constant(pair.key), plain(self.expr(pair.value, scope))
            self.expr(pair.key, scope)
            made[key if isinstance(key, str) else "\0"] = value
        return {"type": "object"} if "\0" in made else object_of(made)

    def _a_condexpr(self, node: nodes.CondExpr, scope: Scope) -> Type:
        self.expr(node.test, scope)
        with self.guarded(guards(node.test, True)):
            first = self.expr(node.expr1, scope)
        if node.expr2 is None:
            return first
        with self.guarded(guards(node.test, False)):
            return either([first, self.expr(node.expr2, scope)])

    def _a_and(self, node: nodes.And | nodes.Or, scope: Scope) -> Type:
        left = self.expr(node.left, scope)
        with self.guarded(guards(node.left, isinstance(node, nodes.And))):
            return either([left, self.expr(node.right, scope)])

    _a_or = _a_and

    def _a_concat(self, node: nodes.Concat, scope: Scope) -> Schema:
        for part in node.nodes:
            self.value(part, scope, "print")
        return STRING

    def _a_compare(self, node: nodes.Compare, scope: Scope) -> Schema:
        ordered = any(part.op in ("lt", "lteq", "gt", "gteq") for part in node.ops)

        def side(one: nodes.Node) -> Schema:
            return self.value(one, scope, "compare") if ordered else plain(self.expr(one, scope))

        left = side(node.expr)
        for part in node.ops:
            right = side(part.expr)
            self._works(node, part.op, left, right)
            left = right
        return BOOLEAN

    def _a_not(self, node: nodes.Not, scope: Scope) -> Schema:
        self._operands(node, scope)
        return BOOLEAN

    def _works(self, node: nodes.Node, name: str, left: Schema, right: Schema) -> None:
        sign = cannot(name, left, right)
        if sign is not None:
            types_ = f"{describe(left)} {sign} {describe(right)}"
            text = "string" in (left.get("type"), right.get("type")) and sign == "+"
            remedy = "join text with ~, as in {{ a ~ b }}" if text else "convert one of them (| int, | string)"
            self.report("template-path", node, f"{types_} cannot be worked out", (), types_, remedy)

    def _binary(self, node: nodes.BinExpr, scope: Scope) -> tuple[Schema, Schema]:
        left, right = self.value(node.left, scope, "work with"), self.value(node.right, scope, "work with")
        self._works(node, type(node).__name__, left, right)
        return left, right

    def _a_sub(self, node: nodes.BinExpr, scope: Scope) -> Schema:
        self._binary(node, scope)
        return UNKNOWN

    _a_mul = _a_div = _a_floordiv = _a_pow = _a_mod = _a_sub

    def _a_operand(self, node: nodes.Operand, scope: Scope) -> Type:
        return self.expr(node.expr, scope)

    def _a_add(self, node: nodes.Add, scope: Scope) -> Schema:
        left, right = self._binary(node, scope)
        if left.get("type") == right.get("type") == "array":
            return list_of(union(types.iterate(left) or UNKNOWN, types.iterate(right) or UNKNOWN))
        return STRING if left.get("type") == right.get("type") == "string" else UNKNOWN

    def _a_test(self, node: nodes.Test, scope: Scope) -> Schema:
        self.expr(node.node, scope, lenient=node.name in ("defined", "undefined"))
        self._arguments(node, scope)
        return BOOLEAN

    def _arguments(self, node: nodes.Call | nodes.Filter | nodes.Test, scope: Scope) -> None:
        for part in [*node.args, *(pair.value for pair in node.kwargs), node.dyn_args, node.dyn_kwargs]:
            self.expr(part, scope)

    # Filters

    def _a_filter(self, node: nodes.Filter, scope: Scope) -> Schema:
        return self.filtered(node, scope)

    def filtered(self, node: nodes.Filter, scope: Scope) -> Schema:
        self._arguments(node, scope)
        if node.name in ("default", "d"):
            value = plain(self.expr(node.node, scope, lenient=True))
            return union(value, plain(self.expr(node.args[0], scope))) if node.args else value
        whole = STRING if node.node is None else self.value(node.node, scope, f"give to `{node.name}`")
        if node.name not in types.ITERATING:
            return types.filtered(node.name, whole)
        items = self.items(node if node.node is None else node.node, whole)
        attribute = self._attribute(node, items)
        if node.name == "map" and attribute is not None:
            return list_of(attribute)
        return types.filtered(node.name, whole)

    def _attribute(self, node: nodes.Filter, items: Schema) -> Schema | None:
        # The type of the attribute that a filter takes from each item; None when it takes none.
        name = attribute_name(node)
        if name is None:
            return None
        found = [self._along(node, items, one) for one in (name.split(",") if node.name == "sort" else [name])]
        return found[0]

    def _along(self, node: nodes.Filter, items: Schema, path: str) -> Schema:
        for part in path.split("."):
            found = types.field(items, int(part) if part.isdigit() else part)
            if isinstance(found, NoField):
                if not may_be_missing(node):
                    self._no_field(node, f"an item of {spelled(node.node)}", found)
                return UNKNOWN
            items = plain(found)
        return items

    # Calls

    def _a_call(self, node: nodes.Call, scope: Scope) -> Schema:
        return self.call(node, scope, None)

    def call(self, node: nodes.Call, scope: Scope, caller: Macro | None) -> Schema:
        called = self.expr(node.node, scope)
        self._arguments(node, scope)
        match called:
            case Method():
                return types.result(called, constant(node.args[0]) if node.args else None)
            case Macro():
                self._inline(node, scope, called, caller)
                return STRING
            case Loop():
                self._recurse(node, scope, called)
                return STRING
            case Global():
                return list_of(types.INTEGER) if called.name == "range" else UNKNOWN
            case _:
                if called:
                    message = f"{spelled(node.node)} is {describe(called)}, which cannot be called"
                    self.misses(node, message, called, "leave out the ()")
                return UNKNOWN

    def _inline(self, node: nodes.Call, scope: Scope, macro: Macro, caller: Macro | None) -> None:
        if self._depth >= _DEEPEST or self._calls >= _MOST_CALLS:
            return
        self._calls += 1
        self._depth += 1
        inner = macro.scope.inner(varargs=UNKNOWN, kwargs=UNKNOWN, caller=caller or UNKNOWN)
        if isinstance(macro.node, nodes.CallBlock):  # its body sees the caller of the macro around it, not itself
            del inner.names["caller"]
        names = [arg.name for arg in macro.node.args]
        inner.names |= dict.fromkeys(names, UNKNOWN)
        for name, default in zip(reversed(names), reversed(macro.node.defaults), strict=False):
            inner.names[name] = self.expr(default, inner)
        for name, arg in [*zip(names, node.args, strict=False), *((pair.key, pair.value) for pair in node.kwargs)]:
            inner.names[name] = self.expr(arg, scope)
        self.block(macro.node.body, inner)
        self._depth -= 1

    def _recurse(self, node: nodes.Call, scope: Scope, loop: Loop) -> None:
        if not node.args:
            return
        items = self.items(node.args[0], plain(self.expr(node.args[0], scope)))
        if key_of(items) not in loop.seen and len(loop.seen) < _DEEPEST:
            loop.seen.add(key_of(items))
            again = Loop(loop.node, loop.scope, types.loop_fields(items), loop.seen)
            self.loop_body(loop.node, loop.scope, items, again)


def either(found: Sequence[Type]) -> Type:
    if all(isinstance(one, Mapping) for one in found):
        return union(*(plain(one) for one in found))
    return found[0] if all(one is found[0] for one in found) else UNKNOWN


def key_of(schema: Schema) -> str:
    return str(json.dumps(schema, sort_keys=True, default=str))
