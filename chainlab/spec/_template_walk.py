"""One walk over a template's statements, as Jinja would run them, with types in place of values. Private to `spec/`.

Covers loops (else, recursive, filtered), tuple targets, set, if (branches merge), with, filter blocks, macros and call
blocks (inlined at each call; one that is never called is not looked at).
"""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import nodes

from chainlab.spec import _template_types as types
from chainlab.spec._jinja_nodes import Chain, guards
from chainlab.spec._template_infer import Inference, Loop, Macro, Scope, Type, either, key_of
from chainlab.spec._template_types import STRING, UNKNOWN, plain
from chainlab.spec.schema import NoField, Schema, alternatives, describe
from chainlab.spec.template import TemplateProblem


class Walk(Inference):
    """One check of one template."""

    def problems(self) -> list[TemplateProblem]:
        self.block(self._tree.body, Scope(dict(self._variables)))
        return list(self._found.values())

    def block(self, body: Sequence[nodes.Node], scope: Scope) -> None:
        for node in body:
            walk = getattr(self, f"_do_{type(node).__name__.lower()}", None)
            if walk is not None:
                walk(node, scope)

    def _do_output(self, node: nodes.Output, scope: Scope) -> None:
        for child in node.nodes:
            self.value(child, scope, "print")

    def _do_exprstmt(self, node: nodes.ExprStmt, scope: Scope) -> None:
        self.expr(node.node, scope)

    def _do_for(self, node: nodes.For, scope: Scope) -> None:
        items = self.items(node.iter, self.value(node.iter, scope, "loop over"))
        self.loop_body(node, scope, items, None)
        self.block(node.else_, scope.inner())

    def loop_body(self, node: nodes.For, scope: Scope, items: Schema, loop: Loop | None) -> None:
        inner = scope.inner()
        self._assign(node.target, items, inner)
        passed: frozenset[Chain] = frozenset()
        if node.test is not None:
            self.expr(node.test, inner)
            passed = guards(node.test, True)
        inner.names["loop"] = loop or Loop(node, scope, types.loop_fields(items), {key_of(items)})
        with self.guarded(passed):
            self.block(node.body, inner)

    def _do_if(self, node: nodes.If, scope: Scope) -> None:
        before, ends = dict(scope.names), []
        failed: frozenset[Chain] = frozenset()
        for branch in [node, *node.elif_]:
            with self.guarded(failed):
                self.expr(branch.test, scope)
            with self.guarded(failed | guards(branch.test, True)):
                self.block(branch.body, scope)
            failed |= guards(branch.test, False)
            ends.append(scope.names)
            scope.names = dict(before)
        with self.guarded(failed):
            self.block(node.else_, scope)
        ends.append(scope.names)
        # A branch that does not set a name leaves it as it was further out.
        names = dict.fromkeys(name for end in ends for name in end)
        further = {name: scope.outer.find(name) if scope.outer is not None else None for name in names}
        found = {name: [end.get(name, further[name]) for end in ends] for name in names}
        scope.names = {name: either([one for one in kinds if one is not None]) for name, kinds in found.items()}

    def _do_assign(self, node: nodes.Assign, scope: Scope) -> None:
        self._assign(node.target, self.expr(node.node, scope), scope)

    def _do_assignblock(self, node: nodes.AssignBlock, scope: Scope) -> None:
        self.block(node.body, scope.inner())
        given = STRING if node.filter is None else self.filtered(node.filter, scope)
        self._assign(node.target, given, scope)

    def _do_with(self, node: nodes.With, scope: Scope) -> None:
        inner = scope.inner()
        for target, value in zip(node.targets, node.values, strict=True):
            self._assign(target, self.expr(value, scope), inner)
        self.block(node.body, inner)

    def _do_macro(self, node: nodes.Macro, scope: Scope) -> None:
        scope.names[node.name] = Macro(node, scope)

    def _do_callblock(self, node: nodes.CallBlock, scope: Scope) -> None:
        self.call(node.call, scope, Macro(node, scope))

    def _do_filterblock(self, node: nodes.FilterBlock, scope: Scope) -> None:
        self.block(node.body, scope.inner())
        self.filtered(node.filter, scope)

    def _do_scope(self, node: nodes.Scope | nodes.ScopedEvalContextModifier, scope: Scope) -> None:
        self.block(node.body, scope.inner())

    _do_scopedevalcontextmodifier = _do_scope

    def _assign(self, target: nodes.Node, value: Type, scope: Scope) -> None:
        if isinstance(target, nodes.Name):
            scope.names[target.name] = value
        elif isinstance(target, (nodes.Tuple, nodes.List)):
            for i, part in enumerate(target.items):
                self._assign(part, self._part(target, plain(value), i), scope)

    def _part(self, target: nodes.Tuple | nodes.List, value: Schema, i: int) -> Schema:
        # The i-th part of what is unpacked; letters of a text and keys of an object may fit by chance: unknown.
        options = alternatives(value)
        only = options[0] if len(options) == 1 else UNKNOWN
        count = len(only.get("prefixItems", ())) or len(target.items)
        if types.iterate(value) is None or count != len(target.items):
            self.misses(target, f"{describe(value)} cannot be unpacked into {len(target.items)} names", value)
            return UNKNOWN
        found = types.field(only, i) if only.get("type") == "array" else UNKNOWN
        return UNKNOWN if isinstance(found, NoField) else plain(found)
