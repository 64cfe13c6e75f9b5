"""What stands between a run and a release: pure verdicts on numbers of the quantized bytes."""

from dataclasses import dataclass

from fleetloop_hub.records import GateResult, Parity
from fleetloop_hub.spec.scalars import Task
from fleetloop_hub.spec.training_tables import BudgetTable
from fleetloop_hub.spec.validation_tables import GateTable
from fleetloop_hub.validation.bootstrap import interval, paired_interval
from fleetloop_hub.validation.metrics import Answers, measure


@dataclass(frozen=True)
class Exam:
    """What the gates look at, all of it on the same held-out rows.

    Attributes:
        challenger: What the quantized artifact says.
        champion: What the champion's artifact says, None if there is no champion.
        parity: Quantized against float.
        seed: Of the resampling.
        task: Of the model.
    """

    challenger: Answers
    champion: Answers | None
    parity: Parity
    seed: int
    task: Task = "classification"


def judge(exam: Exam, gates: GateTable, budget: BudgetTable) -> list[GateResult]:
    """Every gate's verdict; a version that misses one is not signed."""
    return [
        _floor(exam, gates),
        *([] if exam.champion is None else [_champion(exam, exam.champion, gates)]),
        _flips(exam.parity, gates),
        _size(exam.parity, budget),
        _latency(exam.parity, budget),
    ]


def _floor(exam: Exam, gates: GateTable) -> GateResult:
    value = measure(gates.metric, exam.challenger)
    low, high = interval(gates.metric, exam.challenger, exam.seed)
    passed = low >= gates.floor
    verdict = (
        f"reaches the floor of {gates.floor:.3f}"
        if passed
        else f"misses the floor of {gates.floor:.3f}; train on more or better rows"
    )
    return GateResult(
        name="floor",
        passed=passed,
        value=value,
        limit=gates.floor,
        low=low,
        high=high,
        text=f"{gates.metric} {value:.3f} on {len(exam.challenger):,} held-out rows: the "
        f"lower end of its 95 % interval, {low:.3f}, {verdict}",
    )


def _champion(exam: Exam, champion: Answers, gates: GateTable) -> GateResult:
    ours, theirs = (measure(gates.metric, a) for a in (exam.challenger, champion))
    low, high = paired_interval(gates.metric, exam.challenger, champion, exam.seed)
    passed = low >= -gates.champion_margin
    verdict = (
        f"is within the margin of {gates.champion_margin:.3f}"
        if passed
        else f"is below the margin of -{gates.champion_margin:.3f}; the champion stays: "
        "wait for more labelled rows"
    )
    return GateResult(
        name="champion",
        passed=passed,
        value=ours - theirs,
        limit=-gates.champion_margin,
        low=low,
        high=high,
        text=f"{gates.metric} {ours:.3f} against the champion's {theirs:.3f} on the same rows: the "
        f"lower end of the difference's 95 % interval, {low:+.3f}, {verdict}",
    )


def _flips(parity: Parity, gates: GateTable) -> GateResult:
    share = parity.label_flips / parity.rows
    passed = share <= gates.label_flips
    verdict = "within" if passed else "more than"
    return GateResult(
        name="label flips",
        passed=passed,
        value=share,
        limit=gates.label_flips,
        text=f"quantization changes {parity.label_flips:,} of {parity.rows:,} answers, {verdict} "
        f"the {gates.label_flips:.1%} allowed",
    )


def _size(parity: Parity, budget: BudgetTable) -> GateResult:
    passed = parity.artifact_bytes <= budget.artifact_bytes
    verdict = "within" if passed else "more than"
    return GateResult(
        name="artifact size",
        passed=passed,
        value=parity.artifact_bytes,
        limit=budget.artifact_bytes,
        text=f"{parity.artifact_bytes:,} bytes, {verdict} the budget of {budget.artifact_bytes:,}",
    )


def _latency(parity: Parity, budget: BudgetTable) -> GateResult:
    passed = parity.artifact_ms <= budget.latency_ms
    verdict = "within" if passed else "more than"
    return GateResult(
        name="latency",
        passed=passed,
        value=parity.artifact_ms,
        limit=budget.latency_ms,
        text=f"{parity.artifact_ms:.3f} ms a row at the hub, {verdict} the budget of "
        f"{budget.latency_ms:g} ms",
    )
