"""Gates on what quantization changed and on what the artifact costs a device."""

from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.training_tables import BudgetTable
from fleetloop_hub.validation.exam import Exam
from fleetloop_hub.version_parts import Cost, GateResult, Parity

_SMALLER = "name a smaller candidate or raise [budget]"


def judged(exam: Exam, spec: ModelSpec) -> list[GateResult]:
    """Flips, size, latency, and where it was weighed load time and memory."""
    found = [
        _flips(exam.parity, spec.gates.label_flips),
        _size(exam.parity, spec.budget),
        _latency(exam.parity, spec.budget),
    ]
    if exam.cost is not None:
        found += [_load(exam.cost, spec.budget), _memory(exam.cost, spec.budget)]
    return found


def _flips(parity: Parity, limit: float) -> GateResult:
    share = parity.label_flips / parity.rows
    text = (
        f"quantization changes {parity.label_flips:,} of {parity.rows:,} answers, and outputs by "
        f"up to {parity.largest_gap:.4f}; {_than(passed=share <= limit)} the {limit:.1%} allowed"
    )
    if share > limit:
        text += "; lower quantization.largest_loss, so that a finer recipe is taken"
    return GateResult(
        name="label flips", passed=share <= limit, value=share, limit=limit, text=text
    )


def _size(parity: Parity, budget: BudgetTable) -> GateResult:
    passed = parity.artifact_bytes <= budget.artifact_bytes
    return GateResult(
        name="artifact size",
        passed=passed,
        value=parity.artifact_bytes,
        limit=budget.artifact_bytes,
        text=f"{parity.artifact_bytes:,} bytes, {_than(passed=passed)} the budget of "
        f"{budget.artifact_bytes:,}{_else(passed=passed)}",
    )


def _latency(parity: Parity, budget: BudgetTable) -> GateResult:
    passed = parity.artifact_ms <= budget.latency_ms
    return GateResult(
        name="latency",
        passed=passed,
        value=parity.artifact_ms,
        limit=budget.latency_ms,
        text=f"{parity.artifact_ms:.3f} ms a row at the hub, {_than(passed=passed)} the budget of "
        f"{budget.latency_ms:g} ms{_else(passed=passed)}",
    )


def _load(cost: Cost, budget: BudgetTable) -> GateResult:
    passed = cost.load_ms <= budget.load_ms
    return GateResult(
        name="load time",
        passed=passed,
        value=cost.load_ms,
        limit=budget.load_ms,
        text=f"{cost.load_ms:.1f} ms from bytes to the first answer in a process of its own, "
        f"{_than(passed=passed)} the budget of {budget.load_ms:g} ms{_else(passed=passed)}",
    )


def _memory(cost: Cost, budget: BudgetTable) -> GateResult:
    if cost.memory_bytes is None:
        return GateResult(
            name="memory",
            passed=True,
            value=None,
            limit=budget.memory_bytes,
            judged=False,
            text="this system does not tell how much memory a process needed at most; judge it on "
            "Linux",
        )
    passed = cost.memory_bytes <= budget.memory_bytes
    return GateResult(
        name="memory",
        passed=passed,
        value=cost.memory_bytes,
        limit=budget.memory_bytes,
        text=f"loading and running adds up to {cost.memory_bytes:,} bytes of memory, "
        f"{_than(passed=passed)} the budget of {budget.memory_bytes:,}{_else(passed=passed)}",
    )


def _than(*, passed: bool) -> str:
    return "within" if passed else "more than"


def _else(*, passed: bool) -> str:
    return "" if passed else f"; {_SMALLER}"
