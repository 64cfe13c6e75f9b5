"""Adds up what devices tell of groups of people, and says which versions break a limit."""

import threading
from collections import defaultdict
from collections.abc import Iterable

from fleetloop_hub.errors import BlobError
from fleetloop_hub.fresh import FreshReports
from fleetloop_hub.monitoring.field_fairness import FieldFairness, judge
from fleetloop_hub.ports import Blobs, Telemetry
from fleetloop_hub.records import Version
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.groups import GroupCounts, GroupLimits, added
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.reports import HealthReport

_AT_START = 2_000

Key = tuple[str, int]
"""A model, and the number of its version."""

_NOTHING = (
    "no group is counted on devices: [fairness] in the spec must name a feature with few values, "
    "and the model answer yes or no"
)


class FairnessReader:
    """Keeps up with the health reports of all devices; safe to be called from many threads."""

    def __init__(self, telemetry: Telemetry, blobs: Blobs) -> None:
        """Begin with the newest reports of each device, some 2,000 of them.

        Args:
            telemetry: What devices say.
            blobs: The manifests, which name groups and limits.
        """
        self._blobs = blobs
        self._fresh = FreshReports(telemetry, "health", _AT_START)
        self._sums: defaultdict[Key, list[GroupCounts]] = defaultdict(list)
        self._devices: defaultdict[Key, set[str]] = defaultdict(set)
        self._limits: dict[str, GroupLimits | None] = {}
        self._lock = threading.Lock()

    def read(self, version: Version) -> FieldFairness:
        """What devices have counted of a version's answers, and the verdict on it."""
        with self._lock:
            self._keep_up()
            return self._read(version)

    def broken(self, versions: Iterable[Version]) -> list[str]:
        """The versions that break a limit on devices: "rain v2"."""
        with self._lock:
            self._keep_up()
            told = [v for v in versions if (v.model, v.number) in self._sums]
            return [f"{v.model} v{v.number}" for v in told if self._read(v).alarm]

    def _read(self, version: Version) -> FieldFairness:
        key, limits = (version.model, version.number), self._limits_of(version)
        if limits is None:
            return FieldFairness(
                model=version.model,
                version=version.number,
                devices=0,
                alarm=False,
                groups=[],
                gaps=[],
                note=_NOTHING,
            )
        return judge(version, limits, self._sums.get(key, []), len(self._devices.get(key, ())))

    def _keep_up(self) -> None:
        for stored in self._fresh.read():
            report = stored.report
            if not isinstance(report, HealthReport) or not report.groups:
                continue
            if report.model is not None and report.version is not None:
                key = report.model, report.version
                self._sums[key] = added(self._sums[key], report.groups)
                self._devices[key].add(report.device)

    def _limits_of(self, version: Version) -> GroupLimits | None:
        if version.manifest is None:
            return None
        if version.manifest not in self._limits:
            try:
                found = decode(self._blobs.get(version.manifest), Manifest).groups
            except (BlobError, UndecodableError):
                found = None
            self._limits[version.manifest] = found
        return self._limits[version.manifest]
