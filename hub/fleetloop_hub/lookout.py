"""What the hub sees of a champion in the field: windows in a row, labels, and who has moved."""

from dataclasses import replace

from fleetloop_hub.errors import BlobError
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.monitoring.fleet_profiles import FleetProfiles
from fleetloop_hub.monitoring.yardstick import Yardstick
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Dataset, Version
from fleetloop_hub.retraining.evidence import Evidence
from fleetloop_hub.retraining.learned import Learned
from fleetloop_hub.retraining.watch import Watch
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.verdict_records import FleetVerdict
from fleetloop_shared.errors import UndecodableError


class Lookout:
    """Monitoring and retraining meet here; for one thread at a time, but for `verdicts`."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry, registry: Registry) -> None:
        """Begin with what is kept."""
        self._catalog, self._registry = catalog, registry
        self._watch = Watch(catalog, telemetry)
        self._learned = Learned(catalog, telemetry)
        self._profiles = FleetProfiles(telemetry, self._yardstick)
        self._verdicts: dict[str, FleetVerdict] = {}

    def look(self, champion: Version, now: float) -> Evidence:
        """The evidence about a champion, as far as it has come in."""
        model, number = champion.model, champion.number
        cohorts = {device.key: device.cohort for device in self._catalog.all(Device)}
        verdict = self._profiles.verdict(model, number, cohorts, now)
        others = {name: v for name, v in self._verdicts.items() if name != model}
        self._verdicts = others if verdict is None else {**others, model: verdict}
        evidence = self._watch.gather(model, number, now, verdict)
        return replace(evidence, learned=self._learned.again(model))

    def has_learned(self, grown: Dataset) -> bool:
        """Whether these rows have been learned from; then no more is advised until others come."""
        return self._learned.check(grown)

    def verdicts(self) -> list[FleetVerdict]:
        """Who has moved, by model; from any thread."""
        return [verdict for _, verdict in sorted(self._verdicts.items())]

    def _yardstick(self, model: str, version: int) -> Yardstick | None:
        """None where nothing is signed about a version, or what is signed cannot be read."""
        found = self._catalog.find(Version, f"{model}/{version}")
        if found is None or found.manifest is None:
            return None
        try:
            manifest = self._registry.manifest(found)
        except (BlobError, UndecodableError):
            return None
        return Yardstick(manifest.reference, manifest.thresholds, manifest.signature.features)
