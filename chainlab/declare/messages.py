"""Messages of a prompt: `system(...)`, `user(...)`, `assistant(...)`."""

from __future__ import annotations

from typing import Literal, overload

from pydantic import BaseModel, ConfigDict

from chainlab.declare.scope import refuse

type_role = Literal["system", "user", "assistant"]


class Message(BaseModel):
    """One message of a prompt: a role with a template, or with a template file."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    role: Literal["system", "user", "assistant"]
    template: str | None = None
    file: str | None = None


def _message(role: type_role, template: str | None, file: str | None) -> Message:
    if (template is None) == (file is None):
        refuse("bad-option", f"{role}(...) takes a template or file=, one of them", remedy=f'write {role}("...")')
    return Message(role=role, template=template, file=file)


@overload
def system(template: str, /) -> Message: ...
@overload
def system(*, file: str) -> Message: ...
def system(template: str | None = None, /, *, file: str | None = None) -> Message:
    """A system message."""
    return _message("system", template, file)


@overload
def user(template: str, /) -> Message: ...
@overload
def user(*, file: str) -> Message: ...
def user(template: str | None = None, /, *, file: str | None = None) -> Message:
    """A user message."""
    return _message("user", template, file)


@overload
def assistant(template: str, /) -> Message: ...
@overload
def assistant(*, file: str) -> Message: ...
def assistant(template: str | None = None, /, *, file: str | None = None) -> Message:
    """An assistant message: a few-shot answer."""
    return _message("assistant", template, file)
