"""Gates on where and when a good average can be trusted: slices, calibration, bad days."""

from fleetloop_hub.spec.validation_tables import GateTable
from fleetloop_hub.validation.bootstrap import paired_interval
from fleetloop_hub.validation.calibration import calibration
from fleetloop_hub.validation.exam import Exam
from fleetloop_hub.validation.metrics import Answers, measure
from fleetloop_hub.validation.robustness import MISSING, NOISE, RANGE
from fleetloop_hub.validation.slices import slice_rows
from fleetloop_hub.validation.wording import known, lost, short, verdict
from fleetloop_hub.version_parts import CalibrationBin, GateResult, SliceRow

_FEWEST = 30
"""Rows below which a calibration error is noise."""

_REMEDIES = {
    MISSING: "fill missing values better ([[features]] missing), or train on rows that lack some",
    NOISE: "prefer a smoother candidate: more leaf_rows, a larger alpha, fewer leaves",
    RANGE: 'give the features low and high with outside = "clip", or prefer trees',
}


def slices(exam: Exam, gates: GateTable) -> tuple[list[SliceRow], list[GateResult]]:
    """The metric by slice, and the verdict on the worst one."""
    if not exam.slices:
        if gates.slice_floor is None:
            return [], []
        return [], [lost("worst slice", gates.slice_floor, "the spec names no [[slices]]")]
    rows = slice_rows(gates.metric, exam.challenger, exam.slices, gates.slice_rows, exam.seed)
    judged = [row for row in rows if row.judged and row.low is not None]
    worst = min(judged, key=lambda row: row.low or 0.0, default=None)
    if worst is None or worst.value is None or worst.low is None:
        if gates.slice_floor is None:
            return rows, []
        why = f"no slice has {gates.slice_rows:,} rows on which {gates.metric} is defined"
        return rows, [lost("worst slice", gates.slice_floor, why)]
    floor = gates.slice_floor
    passed = floor is None or worst.low >= floor
    said = "is shown, not judged"
    if floor is not None:
        said = f"reaches the floor of {floor:.3f}"
        if not passed:
            said = f"misses the floor of {floor:.3f}; gather more rows of this slice"
    gate = GateResult(
        name="worst slice",
        passed=passed,
        value=worst.value,
        limit=floor,
        low=worst.low,
        high=worst.high,
        judged=floor is not None,
        text=f"{gates.metric} {worst.value:.3f} where {worst.column} is {worst.name} "
        f"({worst.rows:,} rows): the lower end of its interval, {worst.low:.3f}, {said}; the "
        f"intervals of all {len(judged)} judged slices hold together in 95 % of cases",
    )
    return rows, [gate]


def calibrated(exam: Exam, gates: GateTable) -> tuple[list[CalibrationBin], list[GateResult]]:
    """The expected calibration error of a classification."""
    limit = gates.calibration_error
    why = ""
    if exam.task != "classification":
        why = f"a model of task {exam.task} has no probabilities"
    elif len(exam.challenger) < _FEWEST:
        why = f"{len(exam.challenger)} held-out rows are too few"
    if why:
        return [], [] if limit is None else [lost("calibration", limit, why)]
    found = calibration(exam.challenger, exam.seed)
    said = verdict(found.error, limit, ".3f", 'try training.calibration = "auto", or more rows')
    gate = GateResult(
        name="calibration",
        passed=limit is None or found.error <= limit,
        value=found.error,
        limit=limit,
        low=found.low,
        high=found.high,
        judged=limit is not None,
        text=f"expected calibration error {short(found.error)} (95 % interval {short(found.low)} "
        f"to {short(found.high)}) on {len(exam.challenger):,} rows, {said}",
    )
    return found.bins, [gate]


def robust(exam: Exam, gates: GateTable) -> list[GateResult]:
    """What each disturbance takes from the metric, on the same rows."""
    limits = {MISSING: gates.missing_loss, NOISE: gates.noise_loss, RANGE: gates.range_loss}
    found = []
    for name, answers in exam.disturbed.items():
        gate = _loss(exam, answers, name, gates)
        if gate is None and limits[name] is not None:
            gate = lost(name, limits[name], f"{gates.metric} is not defined on the held-out rows")
        found += [] if gate is None else [gate]
    return found


def _loss(exam: Exam, answers: Answers, name: str, gates: GateTable) -> GateResult | None:
    limits = {MISSING: gates.missing_loss, NOISE: gates.noise_loss, RANGE: gates.range_loss}
    metric, limit = gates.metric, limits[name]
    same = exam.challenger.last(len(answers))
    loss = measure(metric, same) - measure(metric, answers)
    if known(loss) is None:
        return None
    low, high = paired_interval(metric, same, answers, exam.seed)
    return GateResult(
        name=name,
        passed=limit is None or loss <= limit,
        value=loss,
        limit=limit,
        low=low,
        high=high,
        judged=limit is not None,
        text=f"{metric} falls from {measure(metric, same):.3f} to {measure(metric, answers):.3f} "
        f"on {len(answers):,} disturbed rows, by {loss:.3f} (95 % interval {low:.3f} to "
        f"{high:.3f}), {verdict(loss, limit, '.3f', _REMEDIES[name])}",
    )
