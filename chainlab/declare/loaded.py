"""load_chain: a chain from its JSON, without the author's code. Prompts run; Python steps need the author's module."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from chainlab.declare.chain import Chain
from chainlab.declare.prompt import bind_run_inputs
from chainlab.declare.runnable import Program
from chainlab.declare.signature import Parameter, Signature
from chainlab.errors import ChainError
from chainlab.spec.chain import ChainSpec, load
from chainlab.spec.check import first_error
from chainlab.values.codec import Json
from chainlab.values.types import InvalidValue, accept_schema


class LoadedChain(Chain[..., Any]):
    """A chain that came from JSON: inputs and outputs are checked by its stored schemas and are plain JSON."""

    def bind_inputs(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Json]:
        """Run inputs, checked by the stored schemas."""
        values = bind_run_inputs(self.name, self._signature, args, kwargs)
        for name, schema in self.spec.inputs.items():
            try:
                values[name] = accept_schema(schema)(values[name])
            except InvalidValue as error:
                raise ChainError(
                    f"input {name!r} of {self.name!r} is of the wrong type: {error}",
                    code="run-input",
                    step=self.name,
                    got=repr(values[name])[:100],
                    remedy=f"give {name} a value of its type",
                ) from None
        return values


def load_chain(data: ChainSpec | Mapping[str, Any] | str | bytes, /) -> Chain[..., Any]:
    """A chain from a ChainSpec or its JSON, checked. Raises ChainError: no spec, a cycle, a dangling reference."""
    try:
        spec = data if isinstance(data, ChainSpec) else load(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ChainError(
            f"this is no ChainSpec: {first['msg']}",
            code="bad-spec",
            expected="the JSON of chain.spec.model_dump_json()",
            got=place or None,
            remedy="write it with chain.spec.model_dump_json()",
        ) from None
    mistake = first_error(spec)
    if mistake is not None:
        raise mistake
    params = {
        name: Parameter(name, Any, schema, name in spec.defaults, spec.defaults.get(name))
        for name, schema in spec.inputs.items()
    }
    return LoadedChain(_placeholder, Signature(params, Any, spec.output_schema, _python(spec)), Program.of_spec(spec))


def _placeholder(**inputs: Any) -> Any:
    """Stands where the author's function is not."""
    raise ChainError(
        "a chain that came from JSON has no Python body", code="no-code", remedy="run it with .run_sync(...)"
    )


def _python(spec: ChainSpec) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    required = [inspect.Parameter(name, kind) for name in spec.inputs if name not in spec.defaults]
    optional = [
        inspect.Parameter(name, kind, default=spec.defaults[name]) for name in spec.inputs if name in spec.defaults
    ]
    return inspect.Signature(required + optional)
