"""Types whose models are built late: they are known, and refused, as those that are built at once."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, field_validator

from chainlab.values.types import NoSchema, has_validators, schema_of


class Late(BaseModel):
    """Built at its first value."""

    model_config = ConfigDict(defer_build=True)

    count: int


class Checked(Late):
    """With a rule that a schema cannot repeat."""

    @field_validator("count")
    @classmethod
    def even(cls, value: int) -> int:
        """Only even counts."""
        if value % 2:
            raise ValueError("odd")
        return value


class Opaque:
    """No JSON."""


def test_a_model_that_is_built_late_shows_its_validators() -> None:
    assert not has_validators(Late)
    assert has_validators(Checked)
    assert has_validators(list[Checked])


def test_a_model_that_is_built_late_is_refused_when_it_has_no_schema() -> None:
    class Odd(BaseModel):
        model_config = ConfigDict(defer_build=True)

        what: Opaque

    with pytest.raises(NoSchema, match="Opaque"):
        schema_of(Odd)


def test_a_name_that_nobody_defined_is_said_in_one_line() -> None:
    with pytest.raises(NoSchema, match=r"Nowhere") as refused:
        schema_of("Nowhere")
    assert "\n" not in str(refused.value)
