"""What one template may use, and the error of one that would use more. Knows no process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from chainlab.spec.template import TemplateError, TemplateProblem

Limit: TypeAlias = Literal["cpu", "input", "memory", "output", "time"]
LIMITS: tuple[Limit, ...] = get_args(Limit)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may use: processor seconds, seconds, and bytes (memory: of the whole child process)."""

    cpu_s: float = 1.0
    time_s: float = 2.0
    memory: int = 512 << 20
    input: int = 16 << 20
    output: int = 8 << 20

    def __post_init__(self) -> None:
        if min(self.cpu_s, self.time_s, self.memory, self.input, self.output) <= 0:
            raise ValueError(f"a limit must be more than nothing: {self}")


class TemplateLimit(TemplateError):
    """A template that would use more than it may; `limit` says of what. Its problem's code is `template-limit`."""

    def __init__(self, limit: Limit, limits: Limits, line: int = 1) -> None:
        self.limit: Limit = limit
        message, most, remedy = _words(limit, limits)
        super().__init__(TemplateProblem("template-limit", line, message, most, limit, remedy))


def _words(limit: Limit, limits: Limits) -> tuple[str, str, str]:
    simpler = "make it simpler, or compute the value in a @step"
    match limit:
        case "cpu":
            return "the template takes too much work", f"at most {limits.cpu_s:g} s of processor time", simpler
        case "time":
            return "the template takes too long", f"at most {limits.time_s:g} s", simpler
        case "memory":
            return "the template needs too much memory", f"at most {_size(limits.memory)}", simpler
        case "output":
            return "the template prints too much", f"at most {_size(limits.output)}", "make it print less"
        case "input":
            most = f"at most {_size(limits.input)}, and nested as deep as Python's json can read"
            return "the template and its values are too much", most, "give it less, or compute the value in a @step"


def _size(count: int) -> str:
    return f"{count >> 20} MB" if count >= 1 << 20 else f"{count} bytes"
