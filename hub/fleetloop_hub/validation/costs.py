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
    words, allowed = f"{parity.artifact_bytes:,} bytes", f"{budget.artifact_bytes:,}"
    return _within("artifact size", parity.artifact_bytes, budget.artifact_bytes, words, allowed)


def _latency(parity: Parity, budget: BudgetTable) -> GateResult:
    words = f"{parity.artifact_ms:.3f} ms a row at the hub"
    allowed = f"{budget.latency_ms:g} ms"
    return _within("latency", parity.artifact_ms, budget.latency_ms, words, allowed)


def _load(cost: Cost, budget: BudgetTable) -> GateResult:
    words = f"{cost.load_ms:.1f} ms from bytes to the first answer in a process of its own"
    return _within("load time", cost.load_ms, budget.load_ms, words, f"{budget.load_ms:g} ms")


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
    words = f"loading and running adds up to {cost.memory_bytes:,} bytes of memory"
    allowed = f"{budget.memory_bytes:,}"
    return _within("memory", cost.memory_bytes, budget.memory_bytes, words, allowed)


def _within(name: str, value: float, limit: float, words: str, allowed: str) -> GateResult:
    """The verdict on a cost and its budget, both in numbers and in words."""
    passed = value <= limit
    text = f"{words}, {_than(passed=passed)} the budget of {allowed}"
    if not passed:
        text += f"; {_SMALLER}"
    return GateResult(name=name, passed=passed, value=value, limit=limit, text=text)


def _than(*, passed: bool) -> str:
    return "within" if passed else "more than"
