"""How accurate a version is now: per device, cohort and fleet, without labels and with them."""

import threading
from collections import defaultdict
from collections.abc import Iterator

from fleetloop_hub.errors import BlobError, DataError
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.fresh_labels import LabelTests
from fleetloop_hub.monitoring.accuracy_views import AccuracyView, Place, Scope
from fleetloop_hub.monitoring.estimate import Estimator
from fleetloop_hub.monitoring.merging import merged
from fleetloop_hub.monitoring.weighed_labels import WeighedAccuracy, weighed
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.records import Run, Version
from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.training import job as files
from fleetloop_hub.validation import labelled
from fleetloop_hub.validation.metrics import METRICS
from fleetloop_shared.codec import decode
from fleetloop_shared.estimate.records import LabelEvidence
from fleetloop_shared.manifest import REGRESSION, Manifest
from fleetloop_shared.profile import LiveProfile
from fleetloop_shared.reports import HealthReport, ProfileReport

RECENT_ROWS = 2_048
"""Of each device the newest windows are taken until they hold so many rows."""

MOST_DEVICES = 200
"""Devices that are estimated one by one; cohorts and fleet hold the others as well."""

_WINDOWS = 64


class AccuracyReader:
    """Estimates for any version; keeps the labelled rows of the last one that was asked for."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry, blobs: Blobs) -> None:
        """Read from these.

        Args:
            catalog: Versions, their runs, devices.
            telemetry: Profiles, labels and what devices make of them.
            blobs: The labelled rows beside the runs.
        """
        self._catalog, self._telemetry, self._blobs = catalog, telemetry, blobs
        self._lock = threading.Lock()
        self._tests = LabelTests(telemetry)
        self._last: tuple[str, Estimator] | None = None

    def read(self, version: Version) -> AccuracyView:
        """How accurate a version is by all that has been reported."""
        manifest = self._manifest(version)
        accuracy = manifest.accuracy if manifest is not None else None
        with self._lock:
            labels = None
            if accuracy is not None:
                labels = self._tests.weigh(version.model, version.number, accuracy)
            view = AccuracyView(
                model=version.model,
                version=version.number,
                reference=accuracy,
                labels=labels,
                weighed=self._by_device(version) if version.task != REGRESSION else [],
            )
            try:
                estimator = self._estimator(version, manifest)
            except (BlobError, DataError) as error:
                return view.refuse(str(error))
            return view.tell(
                estimator.held_out(), len(estimator), list(self._scopes(version, estimator))
            )

    def _manifest(self, version: Version) -> Manifest | None:
        sha256 = version.manifest or version.unsigned
        if sha256 is None or not self._blobs.has(sha256):
            return None
        return decode(self._blobs.get(sha256), Manifest)

    def _estimator(self, version: Version, manifest: Manifest | None) -> Estimator:
        """The version's labelled rows, made ready.

        Raises:
            DataError: There are none, with the reason.
            BlobError: They are no longer what they were.
        """
        if self._last is not None and self._last[0] == version.key:
            return self._last[1]
        run = self._catalog.find(Run, version.run)
        sha256 = run.artifacts.get(str(files.LABELLED)) if run is not None else None
        if run is None or manifest is None or sha256 is None or not self._blobs.has(sha256):
            raise DataError(
                f"the labelled rows of run {version.run} are not kept, so nothing can be weighed: "
                "train again to have them anew"
            )
        rows = labelled.decode(self._blobs.get(sha256))
        if not len(rows.answers) or manifest.accuracy is None:
            raise DataError(
                f"run {version.run} had no labelled row that nothing was fitted on: give labels, "
                "also late ones, and train again"
            )
        gate: Metric = next(name for name in METRICS if name == run.metric)
        estimator = Estimator(rows, manifest.reference, manifest.accuracy, gate)
        self._last = version.key, estimator
        return estimator

    def _scopes(self, version: Version, estimator: Estimator) -> Iterator[Scope]:
        """The fleet, then its cohorts, then its devices, as far as they have reported."""
        enrolled = {device.key: device for device in self._catalog.all(Device)}
        recent = {name: self._recent(name, version) for name in sorted(enrolled)}
        cohorts: defaultdict[str, list[LiveProfile]] = defaultdict(list)
        for name, profile in recent.items():
            if profile is not None:
                cohorts[enrolled[name].cohort].append(profile)
        every = [profile for profiles in cohorts.values() for profile in profiles]
        if every:
            yield _scope(Place.FLEET, "fleet", merged(every), estimator)
        for cohort, profiles in sorted(cohorts.items()):
            yield _scope(Place.COHORT, cohort, merged(profiles), estimator)
        left = MOST_DEVICES
        for name, profile in recent.items():
            evidence = self._evidence(name, version)
            if profile is not None and left:
                left -= 1
                yield _scope(Place.DEVICE, name, profile, estimator, evidence)

    def _recent(self, device: str, version: Version) -> LiveProfile | None:
        """The newest rows that a device has served under a version, some 2,048 of them."""
        stored = self._telemetry.reports("profile", device=device, limit=_WINDOWS)
        taken: list[LiveProfile] = []
        for report in (s.report for s in reversed(stored)):
            ours = isinstance(report, ProfileReport) and (
                (report.model, report.version) == (version.model, version.number)
            )
            if isinstance(report, ProfileReport) and ours:
                taken.append(report.profile)
            if sum(profile.rows for profile in taken) >= RECENT_ROWS:
                break
        return merged(taken) if taken else None

    def _evidence(self, device: str, version: Version) -> LabelEvidence | None:
        """What a device makes of the labels that it was given itself."""
        for stored in self._telemetry.reports("health", device=device, limit=1):
            report = stored.report
            if isinstance(report, HealthReport) and (
                (report.model, report.version) == (version.model, version.number)
            ):
                return report.evidence
        return None

    def _by_device(self, version: Version) -> list[WeighedAccuracy]:
        """The accuracy that labelled samples show, of all devices and of each."""
        sums = self._telemetry.label_sums(version.model, version.number)
        return weighed(sums)[: MOST_DEVICES + 1]


def _scope(
    place: Place,
    name: str,
    profile: LiveProfile,
    estimator: Estimator,
    labels: LabelEvidence | None = None,
) -> Scope:
    estimated = estimator.estimate(profile)
    return Scope(
        place=place,
        name=name,
        rows=profile.rows,
        effective_rows=estimated.effective_rows,
        estimates=estimated.estimates,
        labels=labels,
    )
