"""What labels say of a champion: tested as they come, and looked at without any one device."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from fleetloop_hub.fresh_labels import FreshLabels
from fleetloop_hub.ports import Telemetry
from fleetloop_hub.retraining.evidence import LabelLoss
from fleetloop_hub.retraining.ranked import RankedTest
from fleetloop_hub.retraining.sight import ENOUGH_TO_COMPARE
from fleetloop_hub.retraining.tally import Tally
from fleetloop_hub.retraining.told import ToldLosses
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_shared.estimate.betting import LabelTest
from fleetloop_shared.estimate.records import HELD_OUT, MAE, AccuracyReference
from fleetloop_shared.manifest import Manifest

NEWEST_ROWS = 4_000
"""Labelled rows that are kept at hand."""

_ENOUGH_TO_BE_WELL = 100
_WINDOWS_ROWS = (250, 1_000, NEWEST_ROWS)


def _few() -> deque[LabelledSample]:
    return deque(maxlen=NEWEST_ROWS)


@dataclass
class _Seen:
    fresh: FreshLabels
    reference: AccuracyReference
    test: LabelTest
    ranked: RankedTest | None
    newest: deque[LabelledSample] = field(default_factory=_few)
    devices: set[str] = field(default_factory=set)
    labels: int = 0
    well: tuple[tuple[int, float | None], bool] = ((-1, None), False)


class LabelLosses:
    """For one thread at a time; what it costs a look is what is new."""

    def __init__(self, telemetry: Telemetry) -> None:
        """No label was seen yet."""
        self._telemetry = telemetry
        self._told = ToldLosses(telemetry)
        self._seen: dict[str, tuple[int, _Seen]] = {}

    def look(
        self, manifest: Manifest, spec: ModelSpec, since: float | None, odd: Collection[str]
    ) -> LabelLoss | None:
        """What labels say up to now; None without any.

        Args:
            manifest: Of the champion.
            spec: Its gates, and the share of devices that is the world.
            since: When drift began; labels of rows before it do not say that all is well.
            odd: Devices that stand apart: their labels prove nothing about the model.
        """
        told = self._told.look(manifest.model, manifest.version, spec.retrain.drift_devices)
        if manifest.accuracy is None:
            return told
        seen = self._keep_up(manifest, manifest.accuracy, spec)
        pooled = self._pooled(seen, spec, since, odd) if seen.labels else None
        if pooled is None or (told is not None and told.proven and not pooled.proven):
            return told
        return pooled

    def newest(self, model: str) -> list[LabelledSample]:
        """The newest labelled rows that the champion has answered, the newest last."""
        seen = self._seen.get(model)
        return [] if seen is None else list(seen[1].newest)

    def _keep_up(self, manifest: Manifest, reference: AccuracyReference, spec: ModelSpec) -> _Seen:
        there = self._seen.get(manifest.model)
        if there is None or there[0] != manifest.version:
            ranked = RankedTest.fits(manifest.signature, spec.gates)
            test = RankedTest(manifest.signature, spec.gates, spec.model.seed) if ranked else None
            fresh = FreshLabels(self._telemetry, manifest.model, manifest.version)
            seen = _Seen(fresh, reference, LabelTest(reference), test)
            there = self._seen[manifest.model] = (manifest.version, seen)
        seen = there[1]
        anew, labelled = seen.fresh.read()
        if anew:
            seen = replace(seen, test=LabelTest(reference), newest=_few(), devices=set(), labels=0)
            self._seen[manifest.model] = manifest.version, seen
        for one in labelled:
            seen.test.add(one.sample.label, one.label.label)
            seen.devices.add(one.device)
            seen.newest.append(one)
            seen.labels += 1
        if seen.ranked is not None:
            seen.ranked.look(seen.labels, seen.newest)
        return seen

    def _pooled(
        self, seen: _Seen, spec: ModelSpec, since: float | None, odd: Collection[str]
    ) -> LabelLoss:
        if seen.ranked is not None and seen.reference.bound_from == HELD_OUT:
            return _by_rank(seen, seen.ranked, spec)
        evidence = seen.test.evidence()
        shared, device = _without_any(seen, odd) if evidence.alarm else (True, "")
        known = "unknown yet" if evidence.value is None else f"{evidence.value:.3f}"
        least = "a root mean squared error of at most " if evidence.metric == MAE else ""
        verdict = "not kept (risk of error 1 %)" if evidence.alarm else "nothing speaks against it"
        return LabelLoss(
            text=f"{evidence.metric.replace('_', ' ')} {known} by {evidence.labels:,} labels of "
            f"{len(seen.devices)} devices, {least}{evidence.demanded:.3f} demanded by the "
            f"{evidence.demanded_by}: {verdict}",
            labels=evidence.labels,
            value=evidence.value,
            demanded=evidence.demanded,
            proven=evidence.alarm,
            well=not evidence.alarm and _is_well(seen, since),
            shared=shared,
            device=device,
        )


def _by_rank(seen: _Seen, ranked: RankedTest, spec: ModelSpec) -> LabelLoss:
    metric, floor = spec.gates.metric.replace("_", " "), spec.gates.floor
    known = "unknown yet" if ranked.value is None else f"{ranked.value:.3f}"
    verdict = "not kept (risk of error 1 %)" if ranked.proven else "nothing speaks against it"
    enough = len(seen.devices) >= ENOUGH_TO_COMPARE
    return LabelLoss(
        text=f"{metric} {known} on the newest {len(seen.newest):,} of {seen.labels:,} labels of "
        f"{len(seen.devices)} devices, {floor:.3f} demanded by the gate: {verdict}",
        labels=seen.labels,
        value=ranked.value,
        demanded=floor,
        proven=ranked.proven,
        well=ranked.well,
        shared=ranked.shared,
        device=ranked.device if ranked.proven and enough else "",
    )


def _without_any(seen: _Seen, odd: Collection[str]) -> tuple[bool, str]:
    """Whether the newest labels are below also without odd devices and any one more; if not, whose.

    Looked at in windows of several lengths, as the test's bettors forget: older labels, which were
    good, must not hide what the newest say.
    """
    newest, rest = list(seen.newest), ""
    for rows in _WINDOWS_ROWS:
        tally = Tally(seen.reference)
        for one in newest[-rows:]:
            tally.add(one.device, one.sample.label, one.label.label)
        shared, device = _left_without(tally, seen.reference.loss_bound, odd)
        if shared:
            return True, ""
        rest = rest or device
        if rows >= len(newest):
            break
    return False, rest


def _left_without(tally: Tally, bound: float, odd: Collection[str]) -> tuple[bool, str]:
    others = sorted(tally.devices - set(odd))
    if len(tally.devices) <= 1 and others:
        return True, ""
    for device in others or [""]:
        without = {*odd, device}
        if not tally.above(bound, without):
            found = tally.loss(without)
            alone = len(tally.devices) >= ENOUGH_TO_COMPARE and found is not None
            return False, device if alone and found is not None and found[0] <= bound else ""
    return True, ""


def _is_well(seen: _Seen, since: float | None) -> bool:
    """Whether the newest labels show clearly that the demand is kept."""
    asked = (seen.labels, since)
    if seen.well[0] != asked:
        tally, count = Tally(seen.reference), 0
        for one in seen.newest:
            if since is None or one.sample.at >= since:
                tally.add(one.device, one.sample.label, one.label.label)
                count += 1
        well = count >= _ENOUGH_TO_BE_WELL and tally.below(seen.reference.loss_bound)
        seen.well = asked, well
    return seen.well[1]
