"""How accurate a version is now: per device, cohort and fleet, without labels and with them."""

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterator

from msgspec.structs import replace

from fleetloop_hub.errors import BlobError, DataError
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.fresh_labels import LabelTests
from fleetloop_hub.monitoring.accuracy_views import AccuracyView, Place, Scope
from fleetloop_hub.monitoring.estimate import Estimator
from fleetloop_hub.monitoring.merging import merged
from fleetloop_hub.monitoring.recent_rows import RecentRows
from fleetloop_hub.monitoring.weighed_labels import WeighedAccuracy, weighed
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.records import Run, Version
from fleetloop_hub.spec.scalars import Metric
from fleetloop_hub.training import job as files
from fleetloop_hub.validation import labelled
from fleetloop_hub.validation.metrics import METRICS
from fleetloop_shared.codec import decode
from fleetloop_shared.manifest import REGRESSION, Manifest
from fleetloop_shared.profile import LiveProfile

MOST_DEVICES = 200
"""Devices that are estimated one by one; cohorts and fleet hold the others as well."""

_VERSIONS = 4
_SCOPES = 2_000
_NOTICED_S = 0.1
_SHARE_OF_A_CORE = 0.05


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
        self._recent: OrderedDict[str, RecentRows] = OrderedDict()
        self._scoped: dict[tuple[str, str], tuple[LiveProfile, Scope]] = {}
        self._views: dict[str, tuple[float, AccuracyView]] = {}

    def read(self, version: Version) -> AccuracyView:
        """How accurate a version is by all that has been reported.

        Of a fleet so large that this takes long, it is given out again for a while.
        """
        began = time.monotonic()
        until, known = self._views.get(version.key, (0.0, None))
        if known is not None and began < until:
            return known
        view = self._read(version)
        took_s = time.monotonic() - began
        keep_s = took_s / _SHARE_OF_A_CORE if took_s > _NOTICED_S else 0.0
        self._views = {version.key: (time.monotonic() + keep_s, view)}
        return view

    def _read(self, version: Version) -> AccuracyView:
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
        recent = self._kept_up(version)
        profiles = {n: p for n, p in sorted(recent.profiles.items()) if n in enrolled}
        cohorts: defaultdict[str, list[LiveProfile]] = defaultdict(list)
        for name, profile in profiles.items():
            cohorts[enrolled[name].cohort].append(profile)
        merged_by = {cohort: merged(found) for cohort, found in sorted(cohorts.items())}
        if merged_by:
            yield _scope(Place.FLEET, "fleet", merged([*merged_by.values()]), estimator)
        for cohort, profile in merged_by.items():
            yield _scope(Place.COHORT, cohort, profile, estimator)
        for name in list(profiles)[:MOST_DEVICES]:
            scope = self._device(version, name, profiles[name], estimator)
            yield replace(scope, labels=recent.evidence.get(name))

    def _kept_up(self, version: Version) -> RecentRows:
        """The newest rows of every device under a version, as of now."""
        recent = self._recent.get(version.key)
        if recent is None:
            recent = RecentRows(self._telemetry.digests, version.model, version.number)
            self._recent[version.key] = recent
            if len(self._recent) > _VERSIONS:
                self._recent.popitem(last=False)
        recent.keep_up()
        return recent

    def _device(
        self, version: Version, name: str, profile: LiveProfile, estimator: Estimator
    ) -> Scope:
        """A device's estimate, made anew only if it has served other rows."""
        known = self._scoped.get((version.key, name))
        if known is None or known[0] is not profile:
            if len(self._scoped) > _SCOPES:
                self._scoped.clear()
            scope = _scope(Place.DEVICE, name, profile, estimator)
            known = self._scoped[version.key, name] = profile, scope
        return known[1]

    def _by_device(self, version: Version) -> list[WeighedAccuracy]:
        """The accuracy that labelled samples show, of all devices and of each."""
        sums = self._telemetry.label_sums(version.model, version.number)
        return weighed(sums)[: MOST_DEVICES + 1]


def _scope(place: Place, name: str, profile: LiveProfile, estimator: Estimator) -> Scope:
    estimated = estimator.estimate(profile)
    return Scope(
        place=place,
        name=name,
        rows=profile.rows,
        effective_rows=estimated.effective_rows,
        estimates=estimated.estimates,
    )
