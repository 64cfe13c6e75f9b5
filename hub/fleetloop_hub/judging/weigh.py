"""Says from both sides' counts whether a version is healthy, harmful, or not yet to be told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleetloop_hub.judgement_records import Comparison, Finding, Judgement
from fleetloop_hub.judging.anytime import half_width
from fleetloop_hub.judging.contrast import Contrast, contrasts
from fleetloop_hub.judging.health import DeviceHealth
from fleetloop_hub.judging.measures import Measure, judged, measures
from fleetloop_hub.judging.readings import Fleet, Reading
from fleetloop_hub.judging.words import overall, sentence
from fleetloop_hub.spec.judge_table import JudgeTable

_EXPECTED = (2.0, 16.0)
"""Differences that are looked for are about so many limits large: small ones, and gross ones that
even one device beside another proves."""

_CLEAR_ERRORS = 2.0
"""Standard errors from which on a figure speaks against a version, though it proves nothing."""


def weigh(
    treated: Sequence[DeviceHealth], control: Sequence[DeviceHealth], table: JudgeTable
) -> Judgement:
    """Compare devices that have taken a version with those that keep the champion.

    It may be called at any time and any number of times over counts that grow: the chance that a
    version no worse than the champion is ever HARMFUL is `table.alpha`, shared evenly by the
    measures that have a limit, and within one half by all types together and half by single types.
    A measure is HARMFUL if it is proven to be worse and its figure is beyond the limit, and HEALTHY
    if being worse by more than the limit is excluded with `table.confidence`.

    Args:
        treated: Devices that have taken it, counted since the phase opened.
        control: The others; none if everybody has taken it: then each device's own past is what it
            is compared with, which is weaker, as the world may have changed meanwhile.
        table: Limits and risks.
    """
    fleet = Fleet(treated, control)
    found: list[Comparison] = []
    if treated:
        for measure in measures(table, fleet):
            found += _compare(measure, fleet, table)
        found = _farthest_answer(found)
    found.sort(key=lambda c: c.hardware != "")
    return _conclude(found, fleet, table)


def _compare(measure: Measure, fleet: Fleet, table: JudgeTable) -> list[Comparison]:
    reading = measure.read(fleet)
    if not reading.of[fleet.treated].any():
        return []
    risk = table.alpha / max(judged(table), 1) / _parts(measure, fleet)
    every, *each = contrasts(reading.units, measure.guess)
    if len(fleet.treated_types()) < 2:  # noqa: PLR2004  # one type: all together is that type
        return [_comparison(measure, every, reading, Risks(risk, table.confidence))]
    half, part = Risks(risk / 2, table.confidence), Risks(risk / (2 * len(each)), table.confidence)
    parts = [_comparison(measure, c, reading, part, fleet.kinds[c.kind or 0]) for c in each]
    return [_comparison(measure, every, reading, half), *parts]


@dataclass(frozen=True)
class Risks:
    """How sure what must be.

    Attributes:
        false_stop: The chance of calling harm what is none.
        confidence: How sure it must be that harm beyond the limit is excluded.
    """

    false_stop: float
    confidence: float


def _parts(measure: Measure, fleet: Fleet) -> int:
    """How many tests one measure is: a test a class, and each way, for the answers."""
    return 2 * fleet.classes() if measure.name == "answers" else 1


def _comparison(
    measure: Measure, contrast: Contrast, reading: Reading, risks: Risks, hardware: str = ""
) -> Comparison:
    worse = _worse(measure, contrast)
    known = math.isfinite(contrast.variance)
    low, high = -math.inf, math.inf
    finding = Finding.UNDECIDED
    if known:
        low = worse - _width(contrast, measure, 2 * risks.false_stop)
        high = worse + _width(contrast, measure, 2 * (1 - risks.confidence))
        if measure.limit is not None:
            limit = measure.unit.inside(measure.limit)
            finding = _finding(worse, low, high, limit)
            if finding is Finding.HARMFUL and not _agreed(measure, contrast, reading, limit):
                finding = Finding.UNDECIDED
    outside = measure.unit.outside
    treated, treated_rows = reading.side(treated=True, kind=contrast.kind)
    control, control_rows = reading.side(treated=False, kind=contrast.kind)
    compared = Comparison(
        measure=measure.name,
        unit=measure.unit.name,
        treated=treated,
        control=control,
        difference=outside(worse) if known else None,
        low=outside(low) if math.isfinite(low) else None,
        high=outside(high) if math.isfinite(high) else None,
        limit=measure.limit,
        finding=finding,
        treated_rows=treated_rows,
        control_rows=control_rows,
        clear=known and worse > _CLEAR_ERRORS * math.sqrt(contrast.variance),
        text="",
        hardware=hardware,
    )
    return sentence(compared, measure, by_past=contrast.by_past)


def _worse(measure: Measure, contrast: Contrast) -> float:
    worse = measure.worse * contrast.difference
    return abs(worse) if measure.name == "answers" else worse


def _agreed(measure: Measure, contrast: Contrast, reading: Reading, limit: float) -> bool:
    """Whether harm is seen without the device that shows the most of it, where there are others.

    Devices have bad hours, and what varies that wildly is far from normal: one device's word is
    that of one device.
    """
    units = reading.units
    of_kind = units.kind == contrast.kind if contrast.kind is not None else units.treated
    chosen = np.flatnonzero(of_kind & units.treated & np.isfinite(units.value))
    if len(chosen) < 2:  # noqa: PLR2004  # nobody else to ask
        return True
    change = np.where(np.isfinite(units.before), units.value - units.before, units.value)
    sign = math.copysign(1.0, contrast.difference) if measure.name == "answers" else measure.worse
    others = np.ones(len(units.value), np.bool_)
    others[chosen[int(np.argmax(sign * change[chosen]))]] = False
    for left in contrasts(units.take(others), measure.guess):
        if left.kind == contrast.kind:
            return _worse(measure, left) > limit
    return False


def _width(contrast: Contrast, measure: Measure, risk: float) -> float:
    """The narrowest of intervals for differences of several sizes, each at a share of the risk."""
    error, limit = math.sqrt(contrast.variance), 4 * measure.guess
    scales = ((size * limit / error) ** 2 for size in _EXPECTED)
    return min(half_width(error, contrast.freedom, s, risk / len(_EXPECTED)) for s in scales)


def _finding(worse: float, low: float, high: float, limit: float) -> Finding:
    if low > 0 and worse > limit:
        return Finding.HARMFUL
    return Finding.HEALTHY if high < limit else Finding.UNDECIDED


def _farthest_answer(found: list[Comparison]) -> list[Comparison]:
    """Of the classes' comparisons the one whose share has moved farthest, a type each."""
    kept = [c for c in found if c.measure != "answers"]
    types = dict.fromkeys(c.hardware for c in found if c.measure == "answers")
    for kind in types:
        of_kind = [c for c in found if c.measure == "answers" and c.hardware == kind]
        kept.append(max(of_kind, key=lambda c: (c.finding is Finding.HARMFUL, c.difference or 0.0)))
    return kept


def _conclude(found: list[Comparison], fleet: Fleet, table: JudgeTable) -> Judgement:
    against = list(
        dict.fromkeys(
            c.measure
            for c in found
            if c.clear and None not in {c.limit, c.difference} and c.difference > c.limit  # type: ignore[operator]  # neither is None
        )
    )
    harmful = [c for c in found if c.finding is Finding.HARMFUL]
    if harmful:
        return overall(Finding.HARMFUL, found, against, _types(harmful, found, fleet))
    healthy = _healthy(found, fleet)
    enough = fleet.rows() >= table.min_rows
    needed = {need for need in table.needs if need != "accuracy" or fleet.is_labelled()}
    if found and enough and not against and needed <= healthy:
        return overall(Finding.HEALTHY, found, against, [])
    return overall(Finding.UNDECIDED, found, against, [])


def _healthy(found: list[Comparison], fleet: Fleet) -> set[str]:
    """Measures in which harm is excluded, on each type too: a gain on one must not hide a loss.

    Of a type that has not told a measure yet nothing is excluded, but where labels never came from.
    """
    well = {(c.measure, c.hardware) for c in found if c.finding is Finding.HEALTHY}
    types = fleet.treated_types()
    if len(types) < 2:  # noqa: PLR2004  # all together is that type
        return {measure for measure, _ in well}
    labelled = {fleet.kinds[k] for k in types if fleet.is_labelled(k)}
    asked = {fleet.kinds[k] for k in types}
    return {
        measure
        for measure, hardware in well
        if not hardware
        and all((measure, k) in well for k in (labelled if measure == "accuracy" else asked))
    }


def _types(harmful: list[Comparison], found: list[Comparison], fleet: Fleet) -> list[str]:
    """The types it is harmful on: by a measure of their own, else all but those that are well."""
    treated = {fleet.kinds[k] for k in fleet.kind[fleet.treated].tolist()}
    named = {c.hardware for c in harmful if c.hardware}
    proven = {c.measure for c in harmful if c.hardware}
    for measure in {c.measure for c in harmful} - proven:
        well = {
            c.hardware
            for c in found
            if c.measure == measure and c.hardware and c.finding is Finding.HEALTHY
        }
        named |= treated - well or treated
    return sorted(named)
