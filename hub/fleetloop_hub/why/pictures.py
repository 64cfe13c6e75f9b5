"""Draws the evidence of a decision: drift by device, accuracy over time, features that moved."""

from fleetloop_hub.charts.histograms import Pair, histograms
from fleetloop_hub.charts.lines import Point, Series, Words, lines
from fleetloop_hub.decision_records import Moved
from fleetloop_hub.monitoring.drift_words import number
from fleetloop_hub.why.evidence import Seen

DRIFT, ACCURACY, FEATURES = "drift", "accuracy", "features"
"""Names of the pictures."""

_UNITS = (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0), ("seconds", 1.0))
_LEGEND, _LONG = 8, 2.0


def pictures(seen: Seen, devices: list[str], now: float) -> dict[str, bytes]:
    """SVG files by name; what there is no evidence for is not drawn.

    Args:
        seen: The evidence.
        devices: Those that the decision names: they are drawn in colour.
        now: Unix seconds of the decision; time is counted back from it.
    """
    drawn = {}
    if seen.drift:
        drawn[DRIFT] = _drift(seen.drift, devices, now)
    if seen.estimate or seen.labelled:
        drawn[ACCURACY] = _accuracy(seen, now)
    if seen.moved:
        title = "Features that moved furthest, and their rows then and now"
        drawn[FEATURES] = histograms(title, [_pair(moved) for moved in seen.moved])
    return drawn


def _drift(drift: dict[str, list[Point]], devices: list[str], now: float) -> bytes:
    every = [p for points in drift.values() for p in points]
    unit, length_s = _unit(every, now)
    loud = [d for d in devices if d in drift][:_LEGEND]
    loud = loud or (sorted(drift) if len(drift) <= _LEGEND else [])
    series = [
        Series(device, _back(points, now, length_s), quiet=device not in loud)
        for device, points in sorted(drift.items())
    ]
    words = Words(
        title=f"Drift of {len(drift)} device{'' if len(drift) == 1 else 's'} before the decision",
        x=f"{unit} before the decision",
        y="largest drift statistic / its threshold",
        limit="an alarm from 1",
    )
    return lines(words, series, limit=1.0)


def _accuracy(seen: Seen, now: float) -> bytes:
    unit, length_s = _unit([*seen.estimate, *seen.labelled], now)
    told = {"by labels": seen.labelled, "without labels": seen.estimate}
    series = [Series(n, _back(points, now, length_s)) for n, points in told.items() if points]
    what = "mean absolute error, in the label's unit" if seen.metric == "mae" else "accuracy, share"
    words = Words(
        title="Accuracy of the champion before the decision, with 95 % intervals",
        x=f"{unit} before the decision",
        y=what,
    )
    return lines(words, series)


def _unit(points: list[Point], now: float) -> tuple[str, float]:
    longest_s = max((now - p.x for p in points), default=0.0)
    return next((u for u in _UNITS if longest_s >= _LONG * u[1]), _UNITS[-1])


def _back(points: list[Point], now: float, length_s: float) -> list[Point]:
    ordered = sorted(points, key=lambda p: p.x)
    return [Point((p.x - now) / length_s, p.y, p.low, p.high) for p in ordered]


def _pair(moved: Moved) -> Pair:
    before, live = sum(moved.reference_rows) or 1, sum(moved.live_rows) or 1
    unit = f" ({moved.unit})" if moved.unit else ""
    ends = (number(moved.edges[0]), number(moved.edges[-1])) if moved.edges else ("", "")
    return Pair(
        name=f"{moved.feature}{unit}",
        words=f"{moved.text}; {moved.ratio:.1f} x its threshold",
        before=[rows / before for rows in moved.reference_rows],
        now=[rows / live for rows in moved.live_rows],
        edges=(f"below {ends[0]}", f"{ends[1]} and above") if moved.edges else ends,
    )
