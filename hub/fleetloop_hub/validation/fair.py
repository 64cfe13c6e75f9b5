"""Gates on how far groups of people are apart."""

from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.validation_tables import FairnessTable
from fleetloop_hub.validation.exam import Exam
from fleetloop_hub.validation.fairness import applies, gaps, group_rows
from fleetloop_hub.validation.shares import RATIO, within
from fleetloop_hub.validation.wording import lost, short
from fleetloop_hub.version_parts import GateResult, GroupGap, GroupRow, Rate

_SHARES = {
    "selection": "of all rows are answered yes",
    "true_positive": "of the positive rows are answered yes",
    "false_positive": "of the negative rows are answered yes",
}


def judged(exam: Exam, spec: ModelSpec) -> tuple[list[GroupRow], list[GroupGap], list[GateResult]]:
    """Rates of all groups, gaps of all columns, and a verdict for each limit and column."""
    limits = spec.fairness
    if not applies(exam.challenger):
        return [], [], _lost(limits)
    rows: list[GroupRow] = []
    apart: list[GroupGap] = []
    for column, groups in exam.groups.items():
        found = group_rows(exam.challenger, column, groups, limits.group_rows)
        rows += found
        apart += gaps(exam.challenger, found, groups, limits, exam.seed)
    return rows, apart, [_gate(gap, rows, spec) for gap in apart if gap.limit is not None]


def _gate(gap: GroupGap, rows: list[GroupRow], spec: ModelSpec) -> GateResult:
    name = f"fairness: {gap.column} {gap.measure}"
    if gap.value is None or gap.low is None or gap.high is None:
        why = f"fewer than two groups of {gap.column} have {spec.fairness.group_rows:,} rows"
        return lost(name, gap.limit, why)
    kind = gap.measure.rpartition(" ")[0].replace(" ", "_")
    told = "; ".join(
        f"{_rate(row, kind)} where {gap.column} is {row.group or 'missing'}"
        for row in rows
        if row.column == gap.column and row.group in {gap.lowest, gap.highest}
    )
    passed = within(gap)
    ratio = gap.measure == RATIO
    bound = f"{'at least' if ratio else 'at most'} {gap.limit:g}"
    said = f"within the limit: {bound}"
    if not passed:
        said = f"but {bound} is allowed; {_remedy(spec, gap.column)}"
    return GateResult(
        name=name,
        passed=passed,
        value=gap.value,
        limit=gap.limit,
        low=gap.low,
        high=gap.high,
        text=f"{_SHARES[kind]}: {told}; the {gap.measure} is {gap.value:.3f} (95 % interval "
        f"{gap.low:.3f} to {gap.high:.3f}), {said}",
    )


def _rate(row: GroupRow, kind: str) -> str:
    rate: Rate = getattr(row, kind)
    value = "none" if rate.value is None else short(rate.value)
    return f"{value} ({rate.low:.3f} to {rate.high:.3f}, {rate.rows:,} rows)"


def _remedy(spec: ModelSpec, column: str) -> str:
    if column in spec.feature_names and spec.fairness.mitigation != "none":
        return (
            "thresholds of groups did not bring it within the limit; gather more rows of that "
            "group, or look for features that tell its people apart as well"
        )
    if column in spec.feature_names:
        return 'try fairness.mitigation = "group-thresholds", or gather more rows of that group'
    return (
        f"make {column} a feature so that each group can have a threshold of its own, loosen "
        "nothing before you know why the groups differ, and gather more rows of that group"
    )


def _lost(limits: FairnessTable) -> list[GateResult]:
    wanted = [k for k in limits.__struct_fields__ if k.endswith(("_gap", "_ratio"))]
    why = "rates of groups need two classes, one of them positive"
    return [
        lost(f"fairness: {column} {key.replace('_', ' ')}", limit, why)
        for column in limits.groups
        for key in wanted
        if (limit := getattr(limits, key)) is not None
    ]
