"""Adds up what devices tell of groups of people, and says which versions break a limit."""

import threading
from collections.abc import Iterable

from fleetloop_hub.errors import BlobError
from fleetloop_hub.monitoring.field_fairness import FieldFairness, judge
from fleetloop_hub.ports import Blobs, Telemetry
from fleetloop_hub.records import Version
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.groups import GroupLimits
from fleetloop_shared.manifest import Manifest

_AT_START = 2_000

Key = tuple[str, int]
"""A model, and the number of its version."""

_NOTHING = (
    "no group is counted on devices: [fairness] in the spec must name a feature with few values, "
    "and the model answer yes or no"
)


class FairnessReader:
    """Reads what devices have counted, as it adds up; safe to be called from many threads."""

    def __init__(self, telemetry: Telemetry, blobs: Blobs) -> None:
        """Nothing is read yet.

        Args:
            telemetry: What devices say.
            blobs: The manifests, which name groups and limits.
        """
        self._blobs = blobs
        self._digests = telemetry.digests
        self._limits: dict[str, GroupLimits | None] = {}
        self._lock = threading.Lock()

    def read(self, version: Version) -> FieldFairness:
        """What devices have counted of a version's answers, and the verdict on it."""
        with self._lock:
            return self._read(version)

    def broken(self, versions: Iterable[Version]) -> list[str]:
        """The versions that break a limit on devices: "rain v2"."""
        with self._lock:
            grouped = set(self._digests.grouped())
            told = [v for v in versions if (v.model, v.number) in grouped]
            return [f"{v.model} v{v.number}" for v in told if self._read(v).alarm]

    def _read(self, version: Version) -> FieldFairness:
        limits = self._limits_of(version)
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
        counts, devices = self._digests.groups(version.model, version.number)
        return judge(version, limits, counts, devices)

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
