"""A feature at training beside the rows that devices served in their last windows, bin by bin."""

from collections.abc import Iterable
from dataclasses import dataclass

from fleetloop_hub.digests_port import Digests
from fleetloop_hub.errors import AbsentError
from fleetloop_hub.monitoring.drift_words import number
from fleetloop_hub.monitoring.merging import merged, shape
from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.profile import LiveProfile
from fleetloop_shared.reports import ProfileReport

MOST_WINDOWS = 64
MOST_DEVICES = 100
"""Of a cohort or the fleet so many devices are added up, each with its last window."""


@dataclass(frozen=True)
class Bin:
    """A range of values.

    Attributes:
        words: The range in words.
        reference: Share of the training rows in it.
        live: Share of the served ones.
    """

    words: str
    reference: float
    live: float


@dataclass(frozen=True)
class Overlay:
    """A feature then and now.

    Attributes:
        feature: Its name.
        unit: What it is measured in, "" if it has no unit.
        bins: In order of the values.
        rows: How many rows were served.
        missing_reference: Share of missing values at training.
        missing_live: The same of the served rows.
        windows: How many windows there are to choose from.
    """

    feature: str
    unit: str
    bins: list[Bin]
    rows: int
    missing_reference: float
    missing_live: float
    windows: int


def windows_of(
    device: str, manifest: Manifest, digests: Digests, limit: int = MOST_WINDOWS
) -> list[LiveProfile]:
    """The windows of a device under a version, the newest first, of its newest `limit`."""
    found = []
    for stored in reversed(digests.profiles(device, limit)):
        try:
            report = decode_compressed(stored.payload, ProfileReport)
        except UndecodableError:
            continue  # it was counted as refused when it came
        if (report.model, report.version) == (manifest.model, manifest.version):
            found.append(report.profile)
    return found


def overlay(
    feature: str, manifest: Manifest, live: Iterable[LiveProfile], windows: int
) -> Overlay | None:
    """The feature at training beside these windows added up; None if there are none.

    Raises:
        AbsentError: The version has no such feature.
    """
    names = [known.name for known in manifest.reference.features]
    if feature not in names:
        raise AbsentError(
            f"{manifest.model} v{manifest.version} has no feature {feature[:80]!r}: it has "
            f"{', '.join(names[:20])}"
        )
    place = names.index(feature)
    reference = manifest.reference.features[place]
    expected = tuple(len(known.counts) for known in manifest.reference.features)
    fitting = [one for one in live if tuple(map(len, one.counts)) == expected]
    if not fitting:
        return None
    found = merged([one for one in fitting if shape(one) == shape(fitting[0])])
    before, now = reference.counts, found.counts[place]
    edges = [number(edge) for edge in reference.edges]
    return Overlay(
        feature=feature,
        unit=next((f.unit for f in manifest.signature.features if f.name == feature), ""),
        bins=[
            Bin(_range(edges, k), _share(a, sum(before)), _share(b, sum(now)))
            for k, (a, b) in enumerate(zip(before, now, strict=True))
        ],
        rows=found.rows,
        missing_reference=_share(reference.missing, manifest.reference.rows),
        missing_live=_share(found.missing[place], found.rows),
        windows=windows,
    )


def _range(edges: list[str], k: int) -> str:
    if not edges:
        return "all"
    if k == 0:
        return f"below {edges[0]}"
    return f"{edges[-1]} and above" if k == len(edges) else f"{edges[k - 1]} to {edges[k]}"


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
