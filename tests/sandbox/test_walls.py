"""The second wall: what a child can do even when its templates reach Python. `naked.py` has no first wall."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chainlab.sandbox import process
from chainlab.sandbox.sandbox import Sandbox
from chainlab.spec.template import TemplateError
from tests.attacks import CONTENT, ENVIRONMENT, ESCAPES, FILE, VARIABLE, Attack

linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def naked() -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, ENVIRONMENT)
        patch.setattr(process, "PROGRAM", Path(__file__).with_name("naked.py"))
        made = Sandbox()
        yield made
        made.close()


async def test_the_first_wall_is_down(naked: Sandbox) -> None:
    assert (await naked.render("{{ ''.__class__.__name__ }} {{ sys.path | length > 1 }}", {})).text == "str true"


@pytest.mark.parametrize(
    "template",
    [
        "{{ open(file).read() }}",
        "{{ os.open(file, 0) }}",
        "{{ os.listdir('/') }}",
        "{{ os.system('true') }}",
        "{{ os.forkpty() }}",
        "{{ os.kill(os.getppid(), 0) }}",
        "{{ os.execv('/bin/sh', ['sh']) }}",
        "{{ os.remove('/nowhere/at/all') }}",
        "{{ socket.socket() }}",
        "{{ load('wave') }}",
        "{{ load('subprocess').Popen('true') }}",
        "{{ load('ctypes').CDLL(none) }}",
        "{{ os._wrap_close.__init__.__globals__['popen']('id') }}",
    ],
)
async def test_a_template_that_reaches_python_reaches_nothing_else(naked: Sandbox, template: str) -> None:
    with pytest.raises(TemplateError) as caught:
        await naked.render(template, {"file": FILE})
    assert caught.value.problem.code == "template-value"
    assert CONTENT not in caught.value.problem.message
    assert "a template may not do this" in caught.value.problem.message


@pytest.mark.parametrize("attack", ESCAPES, ids=lambda attack: attack.name)
async def test_even_then_no_escape_finds_a_canary(naked: Sandbox, attack: Attack) -> None:
    try:
        told = repr(await naked.render(attack.template, attack.values))
    except TemplateError as error:
        told = repr(error.problem)
    assert ENVIRONMENT not in told and CONTENT not in told


async def test_the_environment_of_a_child_is_empty(naked: Sandbox) -> None:
    rendered = await naked.render("{{ os.environ.keys() | list }} {{ os.getcwd() }}", {})
    names, folder = rendered.text.rsplit(" ", 1)
    assert VARIABLE not in names and "PATH" not in names and "HOME" not in names
    assert folder == os.sep


@pytest.mark.parametrize(("limit", "most"), [("NOFILE", 3), ("FSIZE", 0), ("NPROC", 0), ("CORE", 0), ("AS", 512 << 20)])
async def test_a_child_has_limited_itself_for_good(naked: Sandbox, limit: str, most: int) -> None:
    if {"AS": "memory", "NPROC": "processes"}.get(limit) in naked.missing:
        pytest.skip("this platform does not have it, and the sandbox says so")
    rendered = await naked.render(f"{{{{ resource.getrlimit(resource.RLIMIT_{limit}) | list }}}}", {})
    assert rendered.text == f"[{most}, {most}]"


@linux
async def test_a_child_has_its_three_streams_and_no_new_privileges(sandbox: Sandbox) -> None:
    await sandbox.render("", {})
    looks_harmless(*sandbox.pids)


def looks_harmless(pid: int) -> None:
    assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"]
    assert "NoNewPrivs:\t1" in Path(f"/proc/{pid}/status").read_text()
    assert ENVIRONMENT.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    assert Path(f"/proc/{pid}/cwd").readlink() == Path(os.sep)


@linux
async def test_linux_has_every_limit(sandbox: Sandbox) -> None:
    await sandbox.render("", {})
    assert sandbox.missing == ()
