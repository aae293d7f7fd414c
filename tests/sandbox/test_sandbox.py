"""The sandbox itself: its limits, its queue, children that break, and its end."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chainlab.errors import SandboxError
from chainlab.sandbox import process
from chainlab.sandbox.limits import Limit, Limits, TemplateLimit
from chainlab.sandbox.sandbox import Sandbox
from chainlab.spec.template import TemplateError
from tests.patience import turns_until, until

ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
PATIENT = Limits(cpu_s=300, time_s=300)  # seconds that no test waits for


@pytest.fixture
def patient() -> Iterator[Sandbox]:
    made = Sandbox(PATIENT, children=1)
    yield made
    made.close()


def alive(pid: int) -> bool:
    """Whether there is such a process, be it a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def text(sandbox: Sandbox, template: str = "{{ x }}", **values: object) -> str:
    return (await sandbox.render(template, values or {"x": "fine"})).text


async def working(sandbox: Sandbox) -> asyncio.Task[str]:
    """A request that never ends, with the child at work on it."""
    await text(sandbox)
    (pid,) = sandbox.pids
    used = cpu_of(pid)
    task = asyncio.create_task(text(sandbox, ENDLESS))
    await turns_until(lambda: cpu_of(pid) > used + 5, "the child works")
    return task


def cpu_of(pid: int) -> int:
    """The processor time that a process has used, in ticks of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.mark.parametrize(
    ("limit", "limits", "template", "line"),
    [
        ("cpu", Limits(cpu_s=0.2, time_s=300), ENDLESS, 1),
        ("time", Limits(cpu_s=300, time_s=0.3), ENDLESS, 1),
        ("memory", Limits(memory=200 << 20, cpu_s=300, time_s=300), "\n\n{{ 'a' | center(10**9) }}", 3),
        ("output", Limits(output=1000), "{% for i in range(2000) %}a{% endfor %}", 1),
        ("output", Limits(output=1000), "{{ '\\0' * 500 }}", 1),
        ("input", Limits(input=1000), "a" * 1000, 1),
    ],
)
async def test_a_limit_is_named(limit: Limit, limits: Limits, template: str, line: int) -> None:
    sandbox = Sandbox(limits)
    try:
        with pytest.raises(TemplateLimit) as caught:
            await sandbox.render(template, {})
        assert caught.value.limit == limit
        problem = caught.value.problem
        assert (problem.code, problem.got, problem.line) == ("template-limit", limit, line)
        assert problem.expected is not None and problem.expected.startswith("at most") and problem.remedy
        assert await text(sandbox) == "fine"
    finally:
        sandbox.close()


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        Limits(cpu_s=0)


async def test_a_check_that_takes_too_much_is_a_problem_of_the_template() -> None:
    sandbox = Sandbox(Limits(cpu_s=0.2, time_s=300))
    try:
        (found,) = await sandbox.check("".join(f"{{{{ a{i} }}}}" for i in range(50_000)), {})
        assert (found.code, found.got) == ("template-limit", "cpu")
    finally:
        sandbox.close()


async def test_an_error_of_the_template_keeps_its_line(sandbox: Sandbox) -> None:
    with pytest.raises(TemplateError) as caught:
        await sandbox.render("a\n\n{{ order.titel }}", {"order": {"title": 1}})
    problem = caught.value.problem
    assert (problem.line, problem.got, problem.remedy) == (3, "titel", "did you mean `title`?")


async def test_nothing_is_started_before_the_first_request(sandbox: Sandbox) -> None:
    assert sandbox.pids == ()
    await text(sandbox)
    assert len(sandbox.pids) == 1


async def test_one_request_after_the_other_uses_one_child(sandbox: Sandbox) -> None:
    first = [await text(sandbox), *sandbox.pids]
    assert [await text(sandbox), *sandbox.pids] == first


async def test_an_endless_template_does_not_hold_up_another_caller() -> None:
    sandbox = Sandbox(PATIENT, children=2)
    try:
        endless = await working(sandbox)
        assert [await text(sandbox, x=str(i)) for i in range(5)] == ["0", "1", "2", "3", "4"]
        assert not endless.done()
        endless.cancel()
    finally:
        sandbox.close()


async def test_requests_wait_their_turn_and_all_are_answered() -> None:
    sandbox = Sandbox(Limits(cpu_s=0.1, time_s=300), children=1)
    try:
        asked = [text(sandbox, ENDLESS if i % 10 == 3 else "{{ x }}", x=str(i)) for i in range(30)]
        told = await asyncio.gather(*asked, return_exceptions=True)
        for i, one in enumerate(told):
            assert isinstance(one, TemplateLimit) if i % 10 == 3 else one == str(i)
    finally:
        sandbox.close()


async def test_an_idle_child_that_was_killed_is_replaced_unseen(sandbox: Sandbox) -> None:
    await text(sandbox)
    (pid,) = sandbox.pids
    os.kill(pid, signal.SIGKILL)
    await turns_until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z", "it is dead")
    assert await text(sandbox) == "fine"
    assert not alive(pid)


async def test_a_child_killed_at_work_is_one_error_and_the_next_request_works(patient: Sandbox) -> None:
    task = await working(patient)
    (pid,) = patient.pids
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(SandboxError, match="ended by SIGKILL") as caught:
        await task
    assert caught.value.code == "sandbox-broken"
    assert await text(patient) == "fine"
    assert not alive(pid)


def frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


READY = frame(b'["ready",[],false]')


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"\xff\xff\xff\xff", "longer than it may be"),
        (b"\x00\x00", "longer than it may be"),
        (frame(b"not JSON"), "not JSON"),
        (frame(b'"\xff"'), "not JSON"),
        (frame(b"{}"), "no answer"),
        (frame(b'["rendered",[]]'), "no answer"),
        (frame(b'["rendered",[],0]'), "no answer"),
        (frame(b'["rendered",{},false]'), "no list"),
        (frame(b'["rendered",[["a"],["b",1]],false]'), "piece of text"),
        (frame(b'["rendered",[["b","y",[]]],false]'), "piece of text"),
        (frame(b'["rendered",[["b","x",[null]]],false]'), "piece of text"),
        (frame(b'["rendered",[["b","x",[true]]],false]'), "piece of text"),
        (frame(b'["checked",[],false]'), "does not belong"),
        (frame(b'["error",[],false]'), "does not belong"),
        (frame(b'["error",[["a",1,"b",null,null,null]],false]'), "problem that is none"),
        (frame(b'["limit",["all",1],false]'), "does not belong"),
        (frame(b'["ready",[],false]'), "does not belong"),
        (frame(b"[" * 100_000), "recursion"),
        (frame(b"9" * 10_000), "not JSON"),
        (frame(b'["rendered",[["a"]],false]')[:-3], "too early"),
        (b"", "ended with status 0"),
    ],
)
async def test_a_child_that_answers_garbage_is_one_error_and_is_not_asked_again(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, words: str
) -> None:
    liar = tmp_path / "liar.py"
    liar.write_text(f"import os\nos.write(1, {READY!r})\nos.read(0, 1)\nos.write(1, {answer!r})\n")
    with monkeypatch.context() as patch:
        patch.setattr(process, "PROGRAM", liar)
        with pytest.raises(SandboxError, match=words) as caught:
            await text(sandbox)
    assert caught.value.code == "sandbox-broken"
    assert sandbox.pids == ()
    assert await text(sandbox) == "fine"


async def test_a_child_that_says_nothing_runs_out_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mute = tmp_path / "mute.py"
    mute.write_text(f"import os, time\nos.write(1, {READY!r})\ntime.sleep(300)\n")
    monkeypatch.setattr(process, "PROGRAM", mute)
    sandbox = Sandbox(Limits(time_s=0.2))
    try:
        with pytest.raises(TemplateLimit, match="too long"):
            await text(sandbox, x="a" * 1_000_000)  # more than a pipe holds
    finally:
        sandbox.close()


@pytest.mark.parametrize("program", ["import sys\nsys.exit(3)\n", "import os\nos.write(1, b'\\0\\0\\0\\2{}')\n"])
async def test_a_child_that_does_not_start_is_one_error(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    (tmp_path / "broken.py").write_text(program)
    monkeypatch.setattr(process, "PROGRAM", tmp_path / "broken.py")
    with pytest.raises(SandboxError, match=r"ended with status 3|wrong answer: it is no answer"):
        await text(sandbox)
    assert sandbox.pids == ()


async def test_a_child_that_never_gets_ready_is_one_error(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(300)\n")
    monkeypatch.setattr(process, "PROGRAM", tmp_path / "slow.py")
    monkeypatch.setattr(process, "_START_S", 0.1)
    with pytest.raises(SandboxError, match="did not start"):
        await text(sandbox)
    assert sandbox.pids == ()


async def test_without_python_there_is_one_error(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SandboxError, match="cannot be started"):
        await text(sandbox)


async def test_a_cancelled_request_takes_its_child_with_it(patient: Sandbox) -> None:
    task = await working(patient)
    (pid,) = patient.pids
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await text(patient, x="mine") == "mine"
    assert not alive(pid)


async def test_a_request_cancelled_in_the_queue_is_never_made(patient: Sandbox) -> None:
    endless = await working(patient)
    waiting = [asyncio.create_task(text(patient, ENDLESS)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in (*waiting, endless):
        task.cancel()
    told = await asyncio.gather(endless, *waiting, return_exceptions=True)
    assert {type(one) for one in told} == {asyncio.CancelledError}
    assert await text(patient) == "fine"


async def test_requests_cancelled_at_any_moment_never_mix_up_answers(sandbox: Sandbox) -> None:
    async def ask(i: int) -> str:
        async with asyncio.timeout(i % 7 / 1000):
            return await text(sandbox, x=str(i) * 10_000)

    for start in range(0, 60, 6):
        told = await asyncio.gather(*(ask(i) for i in range(start, start + 6)), return_exceptions=True)
        assert all(isinstance(one, TimeoutError) or one == str(start + i) * 10_000 for i, one in enumerate(told))
        assert await text(sandbox, x=f"after {start}") == f"after {start}"


async def test_a_child_short_of_memory_is_replaced_before_it_refuses_a_good_template() -> None:
    sandbox = Sandbox(Limits(memory=200 << 20, cpu_s=300, time_s=300), children=1)
    seen = set()
    try:
        for i in range(30):  # a child keeps what it has compiled
            long = f"{i}" + "a" * 500_000
            assert await text(sandbox, long) == long
            seen |= {*sandbox.pids}
    finally:
        sandbox.close()
    assert len(seen) > 1
    assert not any(map(alive, seen))


async def test_a_closed_sandbox_leaves_no_process_and_serves_nobody() -> None:
    sandbox = Sandbox()
    await asyncio.gather(*(text(sandbox) for _ in range(8)))
    pids = sandbox.pids
    await sandbox.aclose()
    sandbox.close()
    assert pids and not any(map(alive, pids)) and sandbox.pids == ()
    with pytest.raises(SandboxError, match="closed"):
        await text(sandbox)


async def test_closing_ends_what_runs_and_what_waits() -> None:
    sandbox = Sandbox(PATIENT, children=1)
    running = await working(sandbox)
    waiting = asyncio.create_task(text(sandbox))
    await asyncio.sleep(0)
    pids = sandbox.pids
    await sandbox.aclose()
    for task in (running, waiting):
        with pytest.raises(SandboxError, match="closed"):
            await task
    assert not any(map(alive, pids))


async def test_a_sandbox_that_is_forgotten_leaves_no_process() -> None:
    sandbox = Sandbox()
    await text(sandbox)
    (pid,) = sandbox.pids
    del sandbox

    def gone() -> bool:
        gc.collect()
        return not alive(pid)

    until(gone, "the child of a forgotten sandbox ends")


def test_one_sandbox_serves_several_event_loops(sandbox: Sandbox) -> None:
    assert [asyncio.run(text(sandbox, x=str(i))) for i in range(3)] == ["0", "1", "2"]


PARENT = f"""
import asyncio
from chainlab.sandbox.limits import Limits
from chainlab.sandbox.sandbox import Sandbox

async def main():
    sandbox = Sandbox(Limits(cpu_s=300, time_s=300), children=2)
    endless = asyncio.create_task(sandbox.render({ENDLESS!r}, {{}}))
    await sandbox.render("", {{}})
    while len(sandbox.pids) < 2:
        await asyncio.sleep(0.01)
    print(*sandbox.pids, flush=True)
    await endless

asyncio.run(main())
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_parent_that_is_killed_takes_its_children_with_it(end: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.send_signal(end)
    until(lambda: not any(map(alive, pids)), "the children of a killed parent end")


def test_a_child_whose_parent_is_gone_sees_the_end_of_its_input() -> None:
    command = [sys.executable, "-I", "-S", "-B", str(process.PROGRAM), "{}", *filter(os.path.isabs, sys.path)]
    told = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (told.returncode, told.stdout) == (0, READY)
