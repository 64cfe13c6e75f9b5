"""What the field looked like at the moment of a decision, read from telemetry while it is there."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from fleetloop_hub.charts.lines import Point
from fleetloop_hub.decision_records import Decision, Moved
from fleetloop_hub.monitoring.drift_words import moved_in
from fleetloop_hub.monitoring.merging import merged, shape
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_hub.validation.shares import wilson
from fleetloop_shared.manifest import REGRESSION, Manifest
from fleetloop_shared.profile import LiveProfile
from fleetloop_shared.reports import DriftReport, ProfileReport

_REPORTS = 4_000
_SPANS = 24
_MOST_MOVED = 4
_WINDOWS = 4
_NORMAL = 1.96

T = TypeVar("T")


@dataclass(frozen=True)
class Seen:
    """The evidence as it was; times are Unix seconds of the hub, but labelled ones the devices'.

    Attributes:
        drift: Largest statistic / threshold of each window, by device.
        estimate: The fleet's accuracy without labels, with 95 % intervals.
        labelled: Its accuracy by labels.
        metric: What both are: "accuracy", or "mae" in the label's unit.
        moved: The features that moved most, the furthest first.
    """

    drift: dict[str, list[Point]]
    estimate: list[Point]
    labelled: list[Point]
    metric: str
    moved: list[Moved]


def look(telemetry: Telemetry, manifest: Manifest, decision: Decision) -> Seen:
    """What the devices that serve the manifest's version have reported last.

    Args:
        telemetry: Reports and labels.
        manifest: Of the champion.
        decision: Whose evidence it is; the devices that it names are looked at first.
    """
    of = (manifest.model, manifest.version)
    drift: defaultdict[str, list[tuple[float, DriftReport]]] = defaultdict(list)
    for stored in telemetry.reports("drift", limit=_REPORTS):
        report = stored.report
        if isinstance(report, DriftReport) and (report.model, report.version) == of:
            drift[report.device].append((stored.stored_at, report))
    samples = telemetry.labelled(manifest.model)
    own = [found for found in samples if found.sample.version == manifest.version]
    regression = manifest.signature.task == REGRESSION
    return Seen(
        drift={
            device: [Point(at, r.ratio) for at, r in reports] for device, reports in drift.items()
        },
        estimate=_estimates([pair for reports in drift.values() for pair in reports]),
        labelled=_by_labels(own, _distance if regression else _share),
        metric="mae" if regression else "accuracy",
        moved=_moved(telemetry, manifest, drift, decision.devices),
    )


def _estimates(reports: list[tuple[float, DriftReport]]) -> list[Point]:
    """Means of the windows' estimates, weighed by their rows.

    The devices' estimates are independent, so that the half widths of their intervals add up as
    squares: `sum((w h)^2)^0.5` for weights w that add up to 1.
    """
    told = [
        (at, e.value, (e.high - e.low) / 2, e.rows)
        for at, e in ((at, r.estimate) for at, r in reports if r.closed)
        if e is not None and e.value is not None and e.low is not None and e.high is not None
    ]
    points = []
    for at, span in _spans(told, lambda one: one[0]):
        rows = sum(one[3] for one in span) or 1
        value = sum(one[1] * one[3] / rows for one in span)
        half = math.sqrt(sum((one[2] * one[3] / rows) ** 2 for one in span))
        points.append(Point(at, value, value - half, value + half))
    return points


def _by_labels(
    samples: list[LabelledSample], measure: Callable[[list[LabelledSample]], tuple[float, ...]]
) -> list[Point]:
    return [
        Point(at, *measure(span)) for at, span in _spans(samples, lambda found: found.sample.at)
    ]


def _share(span: list[LabelledSample]) -> tuple[float, ...]:
    """Share of right answers, with Wilson's interval."""
    right = sum(found.sample.label == found.label.label for found in span)
    return right / len(span), *wilson(right, len(span))


def _distance(span: list[LabelledSample]) -> tuple[float, ...]:
    """Mean distance of answer and truth, with the normal interval."""
    off = [abs(found.sample.label - found.label.label) for found in span]
    mean = sum(off) / len(off)
    spread = math.sqrt(sum((x - mean) ** 2 for x in off) / len(off))
    half = _NORMAL * spread / math.sqrt(len(off))
    return mean, max(0.0, mean - half), mean + half


def _spans(things: Iterable[T], at: Callable[[T], float]) -> Iterator[tuple[float, list[T]]]:
    """Equally many in each span of time: the time of its last, and what is in it."""
    ordered = sorted(things, key=at)
    size = max(1, -(-len(ordered) // _SPANS))
    for start in range(0, len(ordered), size):
        span = ordered[start : start + size]
        yield at(span[-1]), span


def _moved(
    telemetry: Telemetry,
    manifest: Manifest,
    drift: dict[str, list[tuple[float, DriftReport]]],
    named: list[str],
) -> list[Moved]:
    """Features of the devices' newest windows that are at or over their threshold."""
    newest = {device: reports[-1][1] for device, reports in drift.items()}
    alarmed = sorted(d for d in named if d in newest) or sorted(
        device for device, report in newest.items() if report.alarm
    )
    furthest: dict[str, tuple[float, str]] = {}
    for device in alarmed:
        for view in moved_in(newest[device]):
            known = furthest.get(view.name, (0.0, ""))
            furthest[view.name] = max(known, (view.ratio, view.words))
    profile = _live(telemetry, manifest, alarmed)
    if profile is None:
        return []
    found = []
    for index, feature in enumerate(manifest.reference.features):
        ratio, words = furthest.get(feature.name, (0.0, ""))
        if ratio:
            found.append(
                Moved(
                    feature=feature.name,
                    unit=manifest.signature.features[index].unit,
                    ratio=ratio,
                    text=words,
                    edges=feature.edges,
                    reference_rows=feature.counts,
                    live_rows=profile.counts[index],
                )
            )
    return sorted(found, key=lambda one: -one.ratio)[:_MOST_MOVED]


def _live(telemetry: Telemetry, manifest: Manifest, devices: list[str]) -> LiveProfile | None:
    """The newest windows of these devices together."""
    taken: list[LiveProfile] = []
    bins = [len(feature.counts) for feature in manifest.reference.features]
    for device in devices:
        reports = (s.report for s in telemetry.reports("profile", device=device, limit=_WINDOWS))
        taken += [
            r.profile
            for r in reports
            if isinstance(r, ProfileReport)
            and (r.model, r.version) == (manifest.model, manifest.version)
            and [len(counts) for counts in r.profile.counts] == bins
        ]
    alike = [p for p in taken if shape(p) == shape(taken[0])]
    return merged(alike) if alike else None
