"""Conditions of what each model's champion does: accuracy by labels, fairness, odd devices."""

from collections.abc import Callable

from fleetloop_hub.alert_records import AlertKind, AlertLevel
from fleetloop_hub.alerting.condition import Condition, some
from fleetloop_hub.errors import BlobError
from fleetloop_hub.fresh_labels import LabelTests
from fleetloop_hub.monitoring.accuracy_views import against
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.records import Alias, Version
from fleetloop_hub.verdict_records import FleetVerdict, Who
from fleetloop_shared.codec import decode
from fleetloop_shared.errors import UndecodableError
from fleetloop_shared.estimate.records import AccuracyReference
from fleetloop_shared.manifest import Manifest


class ChampionSight:
    """What labels say against champions; for one thread at a time."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry, blobs: Blobs) -> None:
        """No label was seen yet."""
        self._catalog, self._blobs = catalog, blobs
        self._tests = LabelTests(telemetry)
        self._demands: dict[str, AccuracyReference | None] = {}

    def look(self, _now: float) -> list[Condition]:
        """Champions that labels prove to be worse than their gate demands."""
        found = []
        for version in champions(self._catalog):
            demand = self._demand(version)
            if demand is None:
                continue
            evidence = self._tests.weigh(version.model, version.number, demand)
            if evidence is not None and evidence.alarm:
                text = f"{version.model} v{version.number}: {against(evidence)}"
                page = f"/models/{version.model}/{version.number}"
                found.append(
                    Condition(AlertKind.ACCURACY, version.model, AlertLevel.BAD, text, page)
                )
        return found

    def _demand(self, version: Version) -> AccuracyReference | None:
        sha256 = version.manifest or version.unsigned
        if sha256 is None:
            return None
        if sha256 not in self._demands:
            try:
                found = decode(self._blobs.get(sha256), Manifest).accuracy
            except (BlobError, UndecodableError):
                found = None
            self._demands[sha256] = found
        return self._demands[sha256]


def champions(catalog: Catalog) -> list[Version]:
    """Every model's champion."""
    aliases = [alias for alias in catalog.all(Alias) if alias.key.endswith("/champion")]
    found = (catalog.find(Version, f"{a.key.partition('/')[0]}/{a.version}") for a in aliases)
    return [version for version in found if version is not None]


def unfair(
    catalog: Catalog, broken: Callable[[list[Version]], list[str]]
) -> Callable[[float], list[Condition]]:
    """Champions that break a limit of fairness on devices.

    Args:
        catalog: Who is champion.
        broken: Which of some versions break a limit, as "rain v2".
    """

    def look(_now: float) -> list[Condition]:
        of = {f"{v.model} v{v.number}": v for v in champions(catalog)}
        return [
            Condition(
                AlertKind.FAIRNESS,
                of[name].model,
                AlertLevel.BAD,
                f"{name} breaks a limit of fairness on devices: fleetloop fairness {of[name].model}"
                f"@{of[name].number}",
                f"/fairness/{of[name].model}/{of[name].number}",
            )
            for name in broken(list(of.values()))
        ]

    return look


def odd(moved: Callable[[], list[FleetVerdict]]) -> Callable[[float], list[Condition]]:
    """Devices and cohorts that stand apart from the others."""

    def look(_now: float) -> list[Condition]:
        return [_odd(v) for v in moved() if v.who in {Who.DEVICES, Who.COHORTS}]

    return look


def _odd(verdict: FleetVerdict) -> Condition:
    apart = verdict.devices if verdict.who is Who.DEVICES else verdict.cohorts
    names = [one.name for one in apart]
    alone = verdict.who is Who.DEVICES and len(names) == 1
    return Condition(
        AlertKind.ODD_DEVICE,
        verdict.model,
        AlertLevel.WARN,
        verdict.text,
        f"/devices/{names[0]}" if alone else "/monitoring",
        max(1, len(names)),
        some(names),
    )
