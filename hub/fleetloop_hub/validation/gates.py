"""What stands between a run and a release: pure verdicts on numbers of the quantized bytes.

A gate that the spec demands and that cannot be judged has failed. What the spec does not demand is
measured and shown all the same, and has passed.
"""

from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.validation import costs, fair, trust
from fleetloop_hub.validation.bootstrap import interval, paired_interval
from fleetloop_hub.validation.exam import Exam, Flagged
from fleetloop_hub.validation.metrics import Answers, measure
from fleetloop_hub.validation.shares import wilson
from fleetloop_hub.validation.wording import known, lost, short
from fleetloop_hub.version_parts import Evidence, GateResult

FACTOR = 3.0
"""How many times more or less often than expected an anomaly model may say "odd"."""
_UNLABELLED = (
    "No held-out row has a label: how often the model is right, against a floor, a champion or by "
    "slice, could not be judged, only how many rows it calls odd. Labels, also late ones, change "
    "that."
)


def judge(exam: Exam, spec: ModelSpec) -> tuple[list[GateResult], Evidence]:
    """Every gate's verdict, and what it rests on; a version that misses one is not signed."""
    if not len(exam.challenger):
        gates = [_odd(exam.flagged), *costs.judged(exam, spec)]
        return gates, Evidence(cost=exam.cost, notes=[_UNLABELLED])
    slices, of_slices = trust.slices(exam, spec.gates)
    bins, of_scores = trust.calibrated(exam, spec.gates)
    groups, gaps, of_groups = fair.judged(exam, spec)
    gates = [
        _floor(exam, spec),
        *([] if exam.champion is None else [_champion(exam, exam.champion, spec)]),
        *of_slices,
        *of_scores,
        *of_groups,
        *trust.robust(exam, spec.gates),
        *costs.judged(exam, spec),
    ]
    evidence = Evidence(
        slices=slices,
        groups=groups,
        gaps=gaps,
        thresholds=exam.thresholds,
        bins=bins,
        cost=exam.cost,
    )
    return gates, evidence


def _floor(exam: Exam, spec: ModelSpec) -> GateResult:
    metric, floor = spec.gates.metric, spec.gates.floor
    value = measure(metric, exam.challenger)
    if known(value) is None:
        return lost("floor", floor, f"{metric} is not defined on the held-out rows")
    low, high = interval(metric, exam.challenger, exam.seed)
    passed = low >= floor
    verdict = (
        f"reaches the floor of {floor:.3f}"
        if passed
        else f"misses the floor of {floor:.3f}; train on more or better rows, or try other "
        "candidates"
    )
    return GateResult(
        name="floor",
        passed=passed,
        value=value,
        limit=floor,
        low=low,
        high=high,
        text=f"{metric} {value:.3f} on {len(exam.challenger):,} held-out rows: the "
        f"lower end of its 95 % interval, {low:.3f}, {verdict}",
    )


def _champion(exam: Exam, champion: Answers, spec: ModelSpec) -> GateResult:
    metric, margin = spec.gates.metric, spec.gates.champion_margin
    ours, theirs = (measure(metric, a) for a in (exam.challenger, champion))
    if known(ours - theirs) is None:
        return lost("champion", -margin, f"{metric} is not defined on the held-out rows")
    low, high = paired_interval(metric, exam.challenger, champion, exam.seed)
    beaten = ours > theirs or not exam.must_beat
    passed = low >= -margin and beaten
    verdict = f"is within the margin of {margin:.3f}"
    if low < -margin:
        verdict = (
            f"is below the margin of -{margin:.3f}; the champion stays: wait for more labelled rows"
        )
    elif not beaten:
        verdict += ", but it is no better, and a retraining must be; the champion stays"
    return GateResult(
        name="champion",
        passed=passed,
        value=ours - theirs,
        limit=-margin,
        low=low,
        high=high,
        text=f"{metric} {ours:.3f} against the champion's {theirs:.3f} on the same "
        f"{len(exam.challenger):,} newest labelled rows: the "
        f"lower end of the difference's 95 % interval, {low:+.3f}, {verdict}",
    )


def _odd(flagged: Flagged | None) -> GateResult:
    """Without labels only this can be said: whether about as many rows are odd as were expected."""
    if flagged is None:
        return lost("flagged share", None, "no held-out row has a label, so nothing can be judged")
    share = flagged.flagged / flagged.rows
    low, high = wilson(flagged.flagged, flagged.rows)
    least, most = flagged.contamination / FACTOR, min(1.0, flagged.contamination * FACTOR)
    passed = high >= least and low <= most
    verdict = f"within a factor of {FACTOR:g} of the {flagged.contamination:.2%} expected"
    if not passed:
        verdict = (
            f"more than a factor of {FACTOR:g} from the {flagged.contamination:.2%} expected; look "
            "at the newest rows for a change of the world, or set contamination to what is true"
        )
    return GateResult(
        name="flagged share",
        passed=passed,
        value=share,
        limit=most if share > flagged.contamination else least,
        low=low,
        high=high,
        text=f"{flagged.flagged:,} of {flagged.rows:,} held-out rows are called odd, "
        f"{short(share)} (95 % interval {short(low)} to {short(high)}), {verdict}",
    )
