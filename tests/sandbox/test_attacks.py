"""Hostile templates: each ends soon, in a text or in one typed error; none gets out, and the next one is served."""

from __future__ import annotations

import time
from collections.abc import Iterator

import jinja2
import pytest

from chainlab.sandbox.limits import LIMITS, Limits, TemplateLimit
from chainlab.sandbox.sandbox import Sandbox
from chainlab.spec.template import TemplateError, TemplateProblem
from tests.attacks import ATTACKS, CONTENT, ENVIRONMENT, ESCAPES, VARIABLE, Attack

SOON_S = 3.0
WRONG = ("filter", "limit", "path", "syntax", "tag", "value", "variable")


@pytest.fixture(scope="module")
def besieged() -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, ENVIRONMENT)
        made = Sandbox(Limits(cpu_s=0.25))
        yield made
        made.close()


async def serves(sandbox: Sandbox) -> None:
    assert (await sandbox.render("Hello {{ name }}", {"name": "Ann"})).text == "Hello Ann"


async def soon(sandbox: Sandbox) -> float:
    """Seconds that are soon: 3, and more where an ordinary template takes long, too (alone 1 ms, else up to 50)."""
    await serves(sandbox)  # after an attack this one starts a child
    began = time.monotonic()
    await serves(sandbox)
    return SOON_S + 100 * (time.monotonic() - began)


def said(problem: TemplateProblem) -> str:
    assert problem.code.removeprefix("template-") in WRONG
    assert problem.code != "template-limit" or problem.got in LIMITS
    assert problem.message and problem.remedy and problem.line >= 1
    assert len(repr(problem)) < 100_000
    return repr(problem)


async def outcome(sandbox: Sandbox, attack: Attack) -> str:
    try:
        return repr(await sandbox.render(attack.template, attack.values))
    except TemplateLimit as error:
        assert error.limit == error.problem.got
        return said(error.problem)
    except TemplateError as error:
        return said(error.problem)


def test_the_attacks_are_many_and_each_has_its_name() -> None:
    assert len(ATTACKS) >= 60
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)


@pytest.mark.parametrize(
    ("name", "canary"),
    [
        ("globals of cycler", ENVIRONMENT),
        ("globals of lipsum", ENVIRONMENT),
        ("open by the builtins", CONTENT),
    ],
)
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # the attack closes none
def test_without_any_wall_a_canary_is_given_away(name: str, canary: str) -> None:
    (attack,) = (one for one in ESCAPES if one.name == name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, ENVIRONMENT)
        assert canary in jinja2.Environment().from_string(attack.template).render(attack.values)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_an_attack_ends_soon_and_gives_nothing_away(besieged: Sandbox, attack: Attack) -> None:
    soon_s = await soon(besieged)
    began = time.monotonic()
    told = await outcome(besieged, attack)
    took_s = time.monotonic() - began
    assert took_s < soon_s
    assert ENVIRONMENT not in told and CONTENT not in told
    await serves(besieged)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
async def test_looking_at_an_attack_ends_soon_too(besieged: Sandbox, attack: Attack) -> None:
    soon_s = await soon(besieged)
    began = time.monotonic()
    problems = await besieged.check(attack.template, {name: {} for name in attack.values})
    took_s = time.monotonic() - began
    assert took_s < soon_s
    told = "".join(map(said, problems))
    assert ENVIRONMENT not in told and CONTENT not in told
    await serves(besieged)
