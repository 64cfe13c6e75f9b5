"""The rows that devices served last under a version, kept up with as they report."""

from fleetloop_hub.digests_port import Digests
from fleetloop_hub.monitoring.merging import merged
from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.estimate.records import LabelEvidence
from fleetloop_shared.profile import LiveProfile
from fleetloop_shared.reports import HealthReport, ProfileReport

RECENT_ROWS = 2_048
"""Of each device the newest windows are taken until they hold so many rows."""

_WINDOWS = 64


class RecentRows:
    """Of one version; for one thread at a time.

    Attributes:
        profiles: The newest rows of each device that has served any, some 2,048 of them.
        evidence: What devices make of labels of their own.
    """

    def __init__(self, digests: Digests, model: str, version: int) -> None:
        """Nothing is read yet.

        Args:
            digests: What devices have said.
            model: The model.
            version: Its version.
        """
        self._digests, self._of = digests, (model, version)
        self._after = 0
        self.profiles: dict[str, LiveProfile] = {}
        self.evidence: dict[str, LabelEvidence] = {}

    def keep_up(self) -> set[str]:
        """Read what has come; returns the devices that have said anything."""
        changed, self._after = self._digests.changed(self._after)
        for device in changed:
            profile, evidence = self._recent(device), self._evidence(device)
            self.profiles.pop(device, None)
            self.evidence.pop(device, None)
            if profile is not None:
                self.profiles[device] = profile
            if evidence is not None:
                self.evidence[device] = evidence
        return changed

    def _recent(self, device: str) -> LiveProfile | None:
        """The newest windows that a device has served under the version, merged."""
        told = self._digests.windows(device, limit=_WINDOWS)
        if told and all((window.model, window.version) != self._of for window in told):
            return None  # without reading what it served under other versions
        rows, taken = 0, list[LiveProfile]()
        for stored in reversed(self._digests.profiles(device, _WINDOWS)):
            report = decode_compressed(stored.payload, ProfileReport)
            if (report.model, report.version) == self._of:
                taken.append(report.profile)
                rows += report.profile.rows
            if rows >= RECENT_ROWS:
                break
        return merged(taken) if taken else None

    def _evidence(self, device: str) -> LabelEvidence | None:
        """What a device makes of the labels that it was given itself."""
        report = self._digests.latest(device, HealthReport)
        if report is None or (report.model, report.version) != self._of:
            return None
        return report.evidence
