"""What the hub sees of a champion in the field: drift, labels, estimates, and who has moved."""

from dataclasses import replace

from fleetloop_hub.errors import BlobError
from fleetloop_hub.fleet_records import Device
from fleetloop_hub.monitoring.accuracy import AccuracyReader
from fleetloop_hub.monitoring.accuracy_views import Place
from fleetloop_hub.monitoring.fleet_profiles import FleetProfiles
from fleetloop_hub.monitoring.yardstick import Yardstick
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Dataset, Version
from fleetloop_hub.retraining.evidence import Estimated, Evidence, LabelLoss, Predecessor
from fleetloop_hub.retraining.label_losses import LabelLosses
from fleetloop_hub.retraining.learned import Learned
from fleetloop_hub.retraining.predecessors import Predecessors
from fleetloop_hub.retraining.sight import Sight
from fleetloop_hub.retraining.watch import Watch
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.verdict_records import FleetVerdict, Who
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.manifest import Manifest

_ESTIMATE_S = 10.0


class Lookout:
    """Monitoring and retraining meet here; for one thread at a time, but for `verdicts`."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry, registry: Registry) -> None:
        """Begin with what is kept."""
        self._catalog, self._registry = catalog, registry
        self._watch = Watch(catalog, telemetry)
        self._learned = Learned(catalog, telemetry)
        self._profiles = FleetProfiles(telemetry, self._yardstick)
        self._losses = LabelLosses(telemetry)
        self._predecessors = Predecessors(registry)
        self._accuracy = AccuracyReader(catalog, telemetry, registry.blobs)
        self._estimates: dict[str, tuple[float, Estimated | None]] = {}
        self._verdicts: dict[str, FleetVerdict] = {}
        self._cohort_of: tuple[int, dict[str, str]] = (-1, {})

    def look(self, champion: Version, spec: ModelSpec, now: float) -> Evidence:
        """The evidence about a champion, as far as it has come in."""
        model, number = champion.model, champion.number
        verdict = self._profiles.verdict(model, number, self._cohorts(), now)
        others = {name: v for name, v in self._verdicts.items() if name != model}
        self._verdicts = others if verdict is None else {**others, model: verdict}
        evidence = self._watch.gather(model, number, now, verdict)
        loss = self._loss(champion, spec, verdict)
        return replace(
            evidence,
            learned=self._learned.again(model),
            fresh_labels=self._learned.unlearned(model),
            loss=loss,
            estimated=self._estimated(champion, spec, now),
            predecessor=self._predecessor(champion, spec, loss),
        )

    def _cohorts(self) -> dict[str, str]:
        """The cohort of each device, read anew once a device has enrolled."""
        revision = self._catalog.revision(Device)
        if self._cohort_of[0] != revision:
            found = {device.key: device.cohort for device in self._catalog.all(Device)}
            self._cohort_of = revision, found
        return self._cohort_of[1]

    def since(self, model: str, champion: int) -> float | None:
        """When a champion's devices first saw drift, Unix seconds; None if they have not."""
        return self._watch.since(model, champion)

    def labels(self, model: str) -> int:
        """Labelled rows of a model that have come, as of the last look."""
        return self._learned.labels(model)

    def odd(self, evidence: Evidence, spec: ModelSpec) -> dict[str, str]:
        """Devices that are to be looked at, and why nothing is learned from them."""
        sight = Sight(evidence, spec.retrain)
        names = {*sight.odd_devices, sight.lone_device}
        if evidence.loss is not None and evidence.loss.proven:
            names.add(evidence.loss.device)
        return dict.fromkeys(sorted(names - {""}), "it stands apart from the others")

    def has_learned(self, grown: Dataset) -> bool:
        """Whether these rows have been learned from; then no more is advised until others come."""
        return self._learned.check(grown)

    def verdicts(self) -> list[FleetVerdict]:
        """Who has moved, by model; from any thread."""
        return [verdict for _, verdict in sorted(self._verdicts.items())]

    def _loss(
        self, champion: Version, spec: ModelSpec, verdict: FleetVerdict | None
    ) -> LabelLoss | None:
        manifest = self._manifest(champion)
        if manifest is None:
            return None
        apart = verdict is not None and verdict.who is Who.DEVICES
        odd = {o.name for o in verdict.devices} if verdict is not None and apart else set[str]()
        since = self._watch.since(champion.model, champion.number)
        return self._losses.look(manifest, spec, since, odd)

    def _predecessor(
        self, champion: Version, spec: ModelSpec, loss: LabelLoss | None
    ) -> Predecessor | None:
        if not spec.retrain.roll_back or loss is None or not (loss.proven and loss.shared):
            return None
        newest = self._losses.newest(champion.model)
        return self._predecessors.look(champion, spec.gates.metric, loss.labels, newest)

    def _estimated(self, champion: Version, spec: ModelSpec, now: float) -> Estimated | None:
        """The fleet's estimate of the gate's metric, made anew every ten seconds if it is asked."""
        if not spec.retrain.by_estimate:
            return None
        at, found = self._estimates.get(champion.key, (float("-inf"), None))
        if abs(now - at) >= _ESTIMATE_S:
            found = self._estimate(champion, spec)
            self._estimates = {champion.key: (now, found)}
        return found

    def _estimate(self, champion: Version, spec: ModelSpec) -> Estimated | None:
        metric, floor = spec.gates.metric, spec.gates.floor
        view = self._accuracy.read(champion)
        if view.refused:
            return Estimated(metric, floor, refused=view.refused)
        for scope in view.scopes:
            for one in scope.estimates:
                if scope.place is Place.FLEET and one.metric == metric:
                    return Estimated(metric, floor, one.value, one.high, one.refused)
        return None

    def _manifest(self, version: Version) -> Manifest | None:
        """None where nothing is signed about a version, or what is signed cannot be read."""
        if version.manifest is None:
            return None
        try:
            return self._registry.manifest(version)
        except (BlobError, UndecodableError):
            return None

    def _yardstick(self, model: str, version: int) -> Yardstick | None:
        found = self._catalog.find(Version, f"{model}/{version}")
        manifest = None if found is None else self._manifest(found)
        if manifest is None:
            return None
        return Yardstick(manifest.reference, manifest.thresholds, manifest.signature.features)
