"""Finds what is added to the scores of each group so that the limits of fairness are kept.

One decision threshold for all, and an offset a group, is a threshold a group: the post-processing
of Hardt, Price and Srebro (2016) without its random answers. It treats people differently because
of the group they belong to, which the law of some countries forbids; the model card says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from msgspec import structs

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.packaging.head import GroupOffsets, Head
from fleetloop_hub.packaging.preparation import Floats as Values
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.spec.validation_tables import FairnessTable
from fleetloop_hub.validation import fairness
from fleetloop_hub.validation.metrics import Answers, Flags, Floats, measure

Window = dict[str, tuple[float, float]]

_CHOICES = 160
"""Thresholds that are tried for a group."""
_PLACES = {1: 201, 2: 41, 3: 15}
"""Places that are tried for the lowest rate, by how many rates are limited."""
_SURE = 1.645
"""Standard errors that the aim stays within a limit, so that new rows keep it in 19 of 20 cases."""
_NEVER_CERTAIN = 1e-7
_LIMITED = {
    "selection": ("selection_gap", "selection_ratio"),
    "true_positive": ("true_positive_gap",),
    "false_positive": ("false_positive_gap",),
}


@dataclass(frozen=True)
class _Group:
    """One group, and what each threshold for it would lead to; arrays have a value a threshold.

    Attributes:
        value: Of the feature.
        of: By rate, of how many rows it is a share.
        cuts: The thresholds, the one for all first.
        rates: Selection, true and false positive rate.
        gain: What it adds to the metric.
    """

    value: float
    of: dict[str, int]
    cuts: Floats
    rates: dict[str, Floats]
    gain: Floats


def misses(answers: Answers, rows: Frame, spec: ModelSpec) -> list[str]:
    """The fairness limits of a spec that answers to rows miss, in words."""
    return fairness.misses(answers, rows.groups, spec.fairness)


def offsets(answers: Answers, rows: Frame, spec: ModelSpec) -> GroupOffsets | None:
    """The best of `offers`: the one that misses the fewest limits, then the one that loses least.

    A graph has one place for offsets, so that only one sensitive column can have thresholds.

    Args:
        answers: Of a candidate without offsets, to the rows that candidates are chosen by.
        rows: These rows.
        spec: Says which columns, limits and features there are.
    """
    ranked = []
    for offer in offers(answers, rows, spec):
        head = Head(positive=answers.signature.positive, groups=offer)
        outputs = head.apply(answers.outputs.astype(np.float64), rows.values)
        after = Answers(answers.truth, outputs.astype(np.float32), answers.signature)
        ranked.append((-len(misses(after, rows, spec)), measure(spec.gates.metric, after), offer))
    return max(ranked, key=lambda r: r[:2])[2] if ranked else None


def offers(answers: Answers, rows: Frame, spec: ModelSpec) -> list[GroupOffsets]:
    """For each sensitive feature whose groups are too far apart, offsets that bring them together.

    Nothing for a sensitive column that is no feature: the graph does not see it. Make it one, and
    the thresholds can be offered.
    """
    limits = spec.fairness
    found = []
    for column in limits.groups:
        alone = structs.replace(limits, groups=[column])
        if column not in spec.feature_names or not fairness.misses(answers, rows.groups, alone):
            continue
        place = spec.feature_names.index(column)
        offer = mitigate(answers, rows.values[:, place], place, limits, spec.gates.metric)
        found += [] if offer is None else [offer]
    return found


def mitigate(
    answers: Answers, values: Values, place: int, limits: FairnessTable, metric: Metric
) -> GroupOffsets | None:
    """The offsets that keep the limits at the least loss of the metric.

    Each group's threshold is chosen among those at which its rates lie in one window for all
    groups; the windows are as wide as the limits less what chance may add on new rows, and all
    places of the windows are tried. Metrics that know no threshold are taken for balanced accuracy.

    Args:
        answers: Of a candidate without offsets, with a yes and a no.
        values: The sensitive feature, shape (rows,); a missing value and a group with fewer rows
            than are judged keep the threshold for all.
        place: The feature's place among the inputs.
        limits: What is allowed.
        metric: What is lost least of.

    Returns:
        None if no offsets keep the limits, or nothing is limited.
    """
    if not fairness.applies(answers):
        return None
    groups = _groups(answers, values, limits.group_rows, metric)
    widths = _widths(groups, limits)
    if len(groups) < 2 or not widths:  # noqa: PLR2004  # two groups to bring together
        return None
    best = max(
        (_pick(groups, window) for window in _windows(widths, limits)), key=lambda picked: picked[0]
    )
    if best[1] is None:
        return None
    usual = _logit(answers.signature.decision_threshold)
    offsets = [usual - _logit(g.cuts[k]) for g, k in zip(groups, best[1], strict=True)]
    moved = [(g.value, o) for g, o in zip(groups, offsets, strict=True) if o]
    if not moved:
        return None
    return GroupOffsets(place, tuple(v for v, _ in moved), tuple(o for _, o in moved))


def _groups(answers: Answers, values: Values, least_rows: int, metric: Metric) -> list[_Group]:
    number = answers.signature.classes[answers.signature.positive]
    yes, scores = answers.truth == number, answers.scores
    worth = _worth(answers, yes, metric)
    found = []
    for value in np.unique(values[np.isfinite(values)]):
        mine = values == value
        if mine.sum() >= least_rows:
            cuts = _cuts(scores[mine], answers.signature.decision_threshold)
            found.append(_group(float(value), scores[mine], yes[mine], cuts, worth))
    return found


def _group(
    value: float, scores: Floats, yes: Flags, cuts: Floats, worth: tuple[float, float]
) -> _Group:
    """What each threshold leads to; a rate of rows that are not there limits nothing."""
    said = scores[:, None] >= cuts
    hits, alarms = said[yes].sum(axis=0), said[~yes].sum(axis=0)
    nothing = np.full(len(cuts), np.nan)
    rates = {
        "selection": said.mean(axis=0),
        "true_positive": hits / yes.sum() if yes.any() else nothing,
        "false_positive": alarms / (~yes).sum() if not yes.all() else nothing,
    }
    of = {
        "selection": len(yes),
        "true_positive": int(yes.sum()),
        "false_positive": int((~yes).sum()),
    }
    return _Group(value, of, cuts, rates, worth[0] * hits - worth[1] * alarms)


def _cuts(scores: Floats, usual: float) -> Floats:
    """The threshold for all, and those between neighbouring scores, evenly among the rows."""
    seen = np.unique(np.clip(scores, _NEVER_CERTAIN, 1 - _NEVER_CERTAIN))
    between = (seen[1:] + seen[:-1]) / 2 if len(seen) > 1 else seen
    ends = np.array([seen[0] / 2, (seen[-1] + 1) / 2])
    if len(between) > _CHOICES:
        between = np.quantile(between, np.linspace(0, 1, _CHOICES), method="nearest")
    cuts: Floats = np.concatenate([[usual], ends, between])
    return cuts


def _worth(answers: Answers, yes: Flags, metric: Metric) -> tuple[float, float]:
    """What a right yes adds to the metric, and what a false one takes; of F1 the slope at hand."""
    if metric == "accuracy":
        return 1.0, 1.0
    if metric == "f1":
        now = measure("f1", answers)
        return 2 - now, now
    return 1 / max(1, int(yes.sum())), 1 / max(1, int((~yes).sum()))


def _widths(groups: list[_Group], limits: FairnessTable) -> dict[str, float]:
    """How far apart each limited rate may be, less what chance may add, but half at the least."""
    widths = {}
    for rate, keys in _LIMITED.items():
        if all(getattr(limits, key) is None for key in keys):
            continue
        gap = getattr(limits, keys[0])
        gap = 1.0 if gap is None else gap
        error = max((_error(group, rate) for group in groups), default=0.0)
        widths[rate] = max(gap / 2, gap - _SURE * error)
    return widths


def _error(group: _Group, rate: str) -> float:
    """The standard error of a rate at the threshold for all, at least as that of a tenth."""
    value = group.rates[rate][0]
    if not np.isfinite(value):
        return 0.0
    share = np.clip(value, 0.1, 0.9)
    return float(np.sqrt(share * (1 - share) / group.of[rate]))


def _windows(widths: dict[str, float], limits: FairnessTable) -> Iterator[Window]:
    """Every place of the windows: by rate the lowest and the highest that a group may have."""
    aim = (1 + limits.selection_ratio) / 2 if limits.selection_ratio else 0.0
    for lows in product(np.linspace(0, 1, _PLACES[len(widths)]), repeat=len(widths)):
        window = {
            rate: (float(low), float(low) + width)
            for (rate, width), low in zip(widths.items(), lows, strict=True)
        }
        if aim and "selection" in window:
            low, high = window["selection"]
            window["selection"] = low, min(high, low / aim)
        yield window


def _pick(groups: list[_Group], window: Window) -> tuple[float, list[int] | None]:
    """The best threshold of each group whose rates lie in the window, and what they are worth."""
    total = 0.0
    picked: list[int] = []
    for group in groups:
        fits = np.ones(len(group.cuts), np.bool_)
        for rate, (low, high) in window.items():
            with np.errstate(invalid="ignore"):
                fits &= ~((group.rates[rate] < low) | (group.rates[rate] > high))
        if not fits.any():
            return -np.inf, None
        gain = np.where(fits, group.gain, -np.inf)
        best = int(gain.argmax())
        total += float(gain[best])
        picked.append(best)
    return total, picked


def _logit(score: float) -> float:
    sure = min(max(score, _NEVER_CERTAIN), 1 - _NEVER_CERTAIN)
    return float(np.log(sure / (1 - sure)))
