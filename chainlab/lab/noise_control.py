"""Noise control: k replays with the prompt as it was, k with the edit, a seed each; and whether they differ by more.

The edited steps run again in both arms, never reused: an edit that gives a step nothing but a seed forces it. The seed
comes from (batch, arm, sample) by hash, so that a resumed batch has the same; it takes the place of one that the author
or the edit wrote. The arms take turns, for a server may change while they run. With scope "step" nothing else
runs, and the outputs of the edited steps are judged; else the outputs of the runs, whose other steps sample as their
author wrote. How it is judged: `noise.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from chainlab.errors import ReplayError
from chainlab.lab.backtest import edits_of, how_of
from chainlab.lab.batches import How, Member, settled, think_through
from chainlab.lab.estimate import Estimate, estimate, forecast
from chainlab.lab.replaying import ReadyReplay, read_record
from chainlab.noise import MISSING, Verdict, judge
from chainlab.protocols import Models
from chainlab.spec.chain import PromptStep, load, walk
from chainlab.spec.edit import Edit
from chainlab.spec.path import static_path
from chainlab.trace import BatchRecord, BatchStatus, TraceReader
from chainlab.values.codec import Json, decode, hash_parts

ARMS = ("control", "edited")


@dataclass(frozen=True, slots=True)
class NoisePlan:
    """A noise control, thought through before anything runs. `steps`: the edited ones, by path."""

    run_id: str
    chain: str
    edits: tuple[Edit, ...]
    how: How
    steps: tuple[str, ...]
    k: int
    level: float
    estimate: Estimate
    notes: tuple[str, ...]

    @property
    def cost_nano(self) -> int | None:
        """About what it costs, in billionths of a unit of the prices; None: not known, which is not 0."""
        return self.estimate.cost_nano


@dataclass(frozen=True, slots=True)
class NoiseControl:
    """A noise control as it stands. `verdict` None: not all runs have ended. `control`, `edited`: their runs' ids."""

    id: str
    chain: str
    status: BatchStatus
    total: int
    done: int
    run_id: str
    edits: tuple[Edit, ...]
    how: How
    steps: tuple[str, ...]
    k: int
    level: float
    verdict: Verdict | None
    control: tuple[str, ...]
    edited: tuple[str, ...]
    notes: tuple[str, ...]
    created_at: int
    finished_at: int | None


def seed_of(batch_id: str, arm: str, sample: int) -> int:
    """The seed of one run: 31 bits of a hash."""
    return int.from_bytes(hash_parts(batch_id.encode(), arm.encode(), str(sample).encode())[:4], "big") >> 1


# -- before it runs ----------------------------------------------------------------------------------------------------


def plan_noise_control(
    reader: TraceReader, models: Models, run_id: str, edits: Sequence[Edit], how: How, k: int, level: float
) -> NoisePlan:
    """Think a noise control through.

    Raises ReplayError: the replay is refused, the edit is of no prompt, k is too small; ChainError, ConfigError.
    """
    _check(edits, k, level)
    edited = think_through(reader, models, run_id, edits, how)
    steps = tuple(sorted(edited.plan.rules.forced))
    _check_prompts(edited, steps)
    if edited.refused is not None:
        raise edited.refused
    control = think_through(reader, models, run_id, _arm_edits(edits, steps, "control", 0), how)
    if control.refused is not None:
        raise control.refused
    return NoisePlan(
        run_id=run_id,
        chain=edited.plan.spec.name,
        edits=tuple(edits),
        how=how,
        steps=steps,
        k=k,
        level=level,
        estimate=estimate([forecast(control)] * k + [forecast(edited)] * k),
        notes=(*edited.plan.notes, *_replaced_seeds(reader, run_id, steps, edits), *_notes(control, edited, steps)),
    )


def _check(edits: Sequence[Edit], k: int, level: float) -> None:
    if not edits:
        raise ReplayError(
            "there is no edit to judge",
            code="no-edits",
            remedy="give one: edits=[Edit(...)], --step STEP --template TEXT",
        )
    by_hand = next((edit for edit in edits if edit.sets_output), None)
    if by_hand is not None:
        raise _no_sampling(by_hand.step, "its output is set by hand")
    # The farthest apart that outputs can be: where even these show nothing, no outcome will.
    enough = next(n for n in range(2, 20) if judge(["a"] * n, ["b"] * n, level=level).label != "too-few")
    if k < enough:
        raise ReplayError(
            f"{k} and {k} runs cannot show anything at level {level:g}",
            code="bad-option",
            expected=f"k={enough} or more",
            remedy="take more, or another level",
        )


def _check_prompts(ready: ReadyReplay, steps: Sequence[str]) -> None:
    for path in steps:
        if not isinstance(ready.plan.plan.by_path[static_path(path)].spec, PromptStep):
            raise _no_sampling(path, "it is no prompt")
    if ready.plan.fresh_inputs:
        raise _no_sampling("$input", "an edit of the run's inputs is an edit of no step")


def _no_sampling(step: str, why: str) -> ReplayError:
    return ReplayError(
        f"{step}: {why}, so it does not sample",
        code="no-sampling",
        path=step,
        expected="edits of prompts",
        remedy="edit the prompt that uses it, or look at one replay: nothing of it is chance",
    )


def _notes(control: ReadyReplay, edited: ReadyReplay, steps: Sequence[str]) -> list[str]:
    notes = []
    for path in steps:
        (before, after) = (_prompt(ready, path).sampling for ready in (control, edited))
        if after.temperature == 0 or before.temperature == 0:
            arms = "both arms" if after.temperature == before.temperature else "one arm"
            notes.append(
                f"{path}: temperature 0 in {arms}: the model repeats itself whatever its seed, so any difference that "
                "all edited outputs show counts as the edit"
            )
    return notes


def _prompt(ready: ReadyReplay, path: str) -> PromptStep:
    found = ready.plan.replaced.get(path) or ready.plan.plan.by_path[static_path(path)]
    assert isinstance(found.spec, PromptStep)
    return found.spec


def _replaced_seeds(reader: TraceReader, run_id: str, steps: Sequence[str], edits: Sequence[Edit]) -> list[str]:
    """What to say of seeds that the author or the edit wrote."""
    spec = dict(walk(load(read_record(reader, run_id).spec).steps))
    declared = [(path, spec[static_path(path)]) for path in steps]
    written = {path: step.sampling.seed for path, step in declared if isinstance(step, PromptStep)}
    written |= {edit.step: edit.seed for edit in edits if edit.seed is not None}
    return [
        f"{path}: its seed {seed} is replaced, every run gets its own"
        for path, seed in written.items()
        if seed is not None
    ]


def plan_data(plan: NoisePlan) -> Json:
    """What is stored of a plan."""
    return {
        "run": plan.run_id,
        "how": asdict(plan.how),
        "steps": list(plan.steps),
        "k": plan.k,
        "level": plan.level,
        "notes": list(plan.notes),
    }


# -- of a stored batch -------------------------------------------------------------------------------------------------


def members_of(record: BatchRecord) -> tuple[Member, ...]:
    """The runs that a noise control makes, the arms taking turns."""
    plan, edits = record.plan, edits_of(record)
    return tuple(
        Member(
            plan["run"],
            _arm_edits(edits, plan["steps"], arm, seed_of(record.batch.id, arm, sample)),
            arm,
            sample,
        )
        for sample in range(plan["k"])
        for arm in ARMS
    )


def _arm_edits(edits: Sequence[Edit], steps: Sequence[str], arm: str, seed: int) -> tuple[Edit, ...]:
    seeds = tuple(Edit(step=path, seed=seed) for path in steps)
    return seeds if arm == "control" else (*filter(None, map(_without_seed, edits)), *seeds)


def _without_seed(edit: Edit) -> Edit | None:
    """An edit without the seed that it may give; None: it gave nothing else."""
    data = {name: value for name, value in edit.data().items() if name != "seed"}
    return Edit.model_validate(data) if data.keys() - {"step"} else None


def read_noise_control(reader: TraceReader, record: BatchRecord) -> NoiseControl:
    """A noise control as it stands. One that is done is read from its summary; else its outputs are judged here."""
    batch, plan = record.batch, record.plan
    forks = settled(reader.batch_runs(batch.id))
    arms = {
        arm: [forks[place].run for sample in range(plan["k"]) if (place := (plan["run"], arm, sample)) in forks]
        for arm in ARMS
    }
    ids = {arm: tuple(run.id for run in runs) for arm, runs in arms.items()}
    verdict = None
    if batch.status == "done":
        found = batch.summary
        verdict = None if found["verdict"] is None else Verdict(**found["verdict"])
        ids = {arm: tuple(found[arm]) for arm in ARMS}
    elif all(len(some) == plan["k"] for some in ids.values()):
        outputs = [[_output(reader, run, record) for run in ids[arm]] for arm in ARMS]
        verdict = judge(*outputs, level=plan["level"])
    return NoiseControl(
        id=batch.id,
        chain=batch.chain,
        status=batch.status,
        total=batch.total,
        done=sum(len(some) for some in ids.values()),
        run_id=plan["run"],
        edits=edits_of(record),
        how=how_of(record),
        steps=tuple(plan["steps"]),
        k=plan["k"],
        level=plan["level"],
        verdict=verdict,
        control=ids["control"],
        edited=ids["edited"],
        notes=tuple(plan["notes"]),
        created_at=batch.created_at,
        finished_at=batch.finished_at,
    )


def noise_summary(found: NoiseControl) -> Json:
    """What is stored of a result: the verdict and the runs behind it."""
    return {
        "verdict": None if found.verdict is None else asdict(found.verdict),
        "control": list(found.control),
        "edited": list(found.edited),
    }


def _output(reader: TraceReader, run_id: str, record: BatchRecord) -> Json:
    """What is judged of one run: its output, or with scope "step" that of the edited steps."""
    if how_of(record).scope == "step":
        return _of_steps(reader, run_id, record.plan["steps"])
    trace = reader.trace(run_id, max_bytes=1 << 40)
    if trace is None or trace.run.status != "ok" or trace.output is None or trace.output.text is None:
        return MISSING
    return decode(trace.output.text)


def _of_steps(reader: TraceReader, run_id: str, steps: Sequence[str]) -> Json:
    found = reader.record(run_id)
    outputs = {
        row.path: row.output.json
        for row in (found.steps if found is not None else ())
        if row.output is not None and {row.path, static_path(row.path)} & set(steps)
    }
    if not outputs:
        return MISSING
    return outputs if len(outputs) > 1 else next(iter(outputs.values()))
