"""What prompts, steps and chains share: a name, a call in a chain body, and runs through the current lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar, cast

from pydantic import ValidationError

from chainlab.declare.scope import current, refuse
from chainlab.declare.where import caller
from chainlab.errors import ChainError
from chainlab.run import Run, RunStream
from chainlab.runner import current_runner
from chainlab.spec.chain import ChainSpec
from chainlab.spec.schema import describe
from chainlab.values.codec import Json
from chainlab.values.types import Accept, InvalidValue, adapter_of, dump_json, from_json, invalid, schema_of, to_json

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Code:
    """The author's function behind a Python step, with its types on both sides."""

    fn: Callable[..., Any]
    is_async: bool
    params: Mapping[str, Any]
    result: Any

    def decode(self, args: Mapping[str, Json]) -> dict[str, Any]:
        """JSON arguments as the function's types. Raises InvalidValue."""
        out = {}
        for name, value in args.items():
            try:
                out[name] = from_json(self.params[name], value)
            except InvalidValue as error:
                raise InvalidValue(
                    tuple((f"{name}.{where}" if where else name, what) for where, what in error.problems)
                ) from None
        return out

    def encode(self, value: Any) -> Json:
        """The function's result as JSON, checked against its annotation. Raises InvalidValue."""

        adapter = adapter_of(type(None) if self.result is None else self.result)
        try:
            return dump_json(adapter, adapter.validate_python(value, by_name=True, by_alias=True))
        except ValidationError as error:
            raise invalid(error) from None


@dataclass(frozen=True, slots=True)
class Program:
    """A spec with what only the author's process has: functions and validators, by static path."""

    spec: ChainSpec
    code: Mapping[str, Code]
    accepts: Mapping[str, Accept]
    inputs: Mapping[str, Any]
    result: Any

    @staticmethod
    def of_spec(spec: ChainSpec) -> Program:
        """A program of a spec alone: no functions, no types beyond the schemas."""
        return Program(spec, {}, {}, dict.fromkeys(spec.inputs, Any), Any)


class Runnable(Generic[P, R_co]):
    """Private base of Prompt, Step and Chain."""

    name: str
    fn: Callable[P, Any]

    def program(self) -> Program:
        """What a lab runs."""
        raise NotImplementedError

    def bind_inputs(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Json]:
        """Run inputs as JSON. Raises ChainError `run-input` before anything is written."""
        raise NotImplementedError

    def _refuse_inside(self, method: str) -> None:
        """A run inside a chain body would call models at declaration."""
        if current() is not None:
            refuse(
                "wrong-place",
                f"{self.name}.{method}(...) is called inside a chain body",
                expected=f"{self.name}(...)",
                remedy=f"write {self.name}(...): a chain body only wires steps",
                step=self.name,
            )

    async def run(self, *args: P.args, **kwargs: P.kwargs) -> Run[R_co]:
        """Run in the current lab."""
        self._refuse_inside("run")
        return cast("Run[R_co]", await current_runner().run(self, *args, **kwargs))

    def run_sync(self, *args: P.args, **kwargs: P.kwargs) -> Run[R_co]:
        """Run in the current lab and wait; a failure's first line goes to stderr."""
        self._refuse_inside("run_sync")
        return cast("Run[R_co]", current_runner().run_sync(self, *args, **kwargs))

    def stream(self, *args: P.args, **kwargs: P.kwargs) -> RunStream[R_co]:
        """Run in the current lab; iterate the events, `await .run()` for the result."""
        self._refuse_inside("stream")
        return cast("RunStream[R_co]", current_runner().stream(self, *args, **kwargs))


def inputs_json(name: str, types: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Json]:
    """Run inputs checked against their types and turned to JSON."""
    out: dict[str, Json] = {}
    for key, value in values.items():
        try:
            out[key] = to_json(types[key], from_json(types[key], value))
        except InvalidValue as error:
            where = caller()
            raise ChainError(
                f"input {key!r} of {name!r} is of the wrong type: {error}",
                code="run-input",
                step=name,
                expected=describe(schema_of(types[key])),
                got=f"{type(value).__name__} {value!r}"[:100],
                remedy=f"give {key} a value of that type",
                file=where.file if where else None,
                line=where.line if where else None,
            ) from None
    return out
