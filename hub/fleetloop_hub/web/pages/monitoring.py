"""The pages of monitoring: what has moved where, and each feature then and now."""

import math

from flask import Blueprint, Response, request

from fleetloop_hub.errors import AbsentError
from fleetloop_hub.monitoring.heat import SCORE, Warm, heat, serving
from fleetloop_hub.monitoring.overlay import (
    MOST_DEVICES,
    MOST_WINDOWS,
    Overlay,
    overlay,
    windows_of,
)
from fleetloop_hub.monitoring.overview import DeviceView
from fleetloop_hub.monitoring.overview_reader import OverviewReader
from fleetloop_hub.people_records import Role
from fleetloop_hub.ports import Blobs, Catalog, Telemetry
from fleetloop_hub.records import NO_VERSION, Alias, Model, Version
from fleetloop_hub.web import exports
from fleetloop_hub.web.access import needs
from fleetloop_hub.web.page import Crumb, Place, page
from fleetloop_shared.codec import decode
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.profile import LiveProfile

_MONITORING = Crumb("Monitoring", "/monitoring")
_ACROSS = 20
_DOWN = 40
_NAMED_BINS = 6


def monitoring_pages(
    catalog: Catalog, telemetry: Telemetry, blobs: Blobs, overviews: OverviewReader
) -> Blueprint:
    """The routes of monitoring for people."""
    pages = Blueprint("monitoring", __name__)

    @pages.get("/monitoring")
    @needs(Role.VIEWER)
    def fleet() -> Response:
        """Every feature on the devices that serve a version, the hottest first."""
        models = [m.key for m in catalog.all(Model)]
        model = request.args.get("model", models[0] if models else "")
        if model and model not in models:
            raise AbsentError(f"no model {model[:80]!r}: /models lists those there are")
        shown = overviews.read()
        version = _asked_version(catalog, model)
        cohort = request.args.get("cohort", "")
        found = serving(shown.devices, model, version, cohort)
        number, devices = _slice(found)
        warm = heat(devices, telemetry.digests)
        if exports.asked_format():
            return _exported([d.device for d in devices], warm)
        return page(
            "monitoring/monitoring.html",
            Place("monitoring", [_MONITORING]),
            ("devices",),
            model=model,
            models=models,
            version=version,
            versions=sorted({d.version for d in shown.devices if d.model == model and d.version}),
            cohort=cohort,
            cohorts=sorted({d.cohort for d in shown.devices if d.model == model}),
            devices=devices,
            warm=warm[:_DOWN],
            more=max(0, len(warm) - _DOWN),
            number=number,
            pages=max(1, math.ceil(len(found) / _ACROSS)),
            total=len(found),
            alarms=sum(d.alarm for d in found),
            score=SCORE,
            verdicts=[v for v in shown.moved if v.model == model],
        )

    @pages.get("/monitoring/<model>/<feature>")
    @needs(Role.VIEWER)
    def one(model: str, feature: str) -> Response:
        """One feature: training rows in grey, served rows in colour, over the last windows."""
        version = _asked_version(catalog, model)
        manifest = _manifest(catalog, blobs, model, version)
        found = serving(overviews.read().devices, model, version, request.args.get("cohort", ""))
        device = request.args.get("device", "")
        if device and device not in {d.device for d in found}:
            raise AbsentError(f"no device {device[:80]!r} serves {model} v{version}")
        shown = _overlay(feature, manifest, telemetry, found, device)
        here = Crumb(model, f"/monitoring?model={model}")
        return page(
            "monitoring/feature.html",
            Place("monitoring", [_MONITORING, here, Crumb(feature)]),
            ("devices",),
            plots=True,
            model=model,
            version=version,
            feature=feature,
            shown=shown,
            plot=None if shown is None else _plot(shown),
            device=device,
            devices=found[:_ACROSS],
            count=min(len(found), MOST_DEVICES),
            chosen=_windows(),
            most=MOST_WINDOWS,
            cohorts=sorted({d.cohort for d in overviews.read().devices if d.model == model}),
            cohort=request.args.get("cohort", ""),
        )

    return pages


def _asked_version(catalog: Catalog, model: str) -> int:
    """The version that the address asks for, or the champion."""
    champion = catalog.find(Alias, f"{model}/champion")
    usual = champion.version if champion is not None else NO_VERSION
    return request.args.get("version", usual, int)


def _manifest(catalog: Catalog, blobs: Blobs, model: str, number: int) -> Manifest:
    version = catalog.find(Version, f"{model}/{number}")
    if version is None or version.manifest is None:
        raise AbsentError(f"{model[:80]!r} has no signed version {number}: see /models")
    return decode(blobs.get(version.manifest), Manifest)


def _windows() -> int:
    return min(max(1, request.args.get("windows", 1, int)), MOST_WINDOWS)


def _overlay(
    feature: str, manifest: Manifest, telemetry: Telemetry, found: list[DeviceView], device: str
) -> Overlay | None:
    """The feature on one device over its last windows, or on many over the last of each."""
    if device:
        every = windows_of(device, manifest, telemetry.digests)
        return overlay(feature, manifest, every[: _windows()], len(every))
    live: list[LiveProfile] = []
    for one in found[:MOST_DEVICES]:
        live += windows_of(one.device, manifest, telemetry.digests, limit=1)
    return overlay(feature, manifest, live, 1)


def _plot(shown: Overlay) -> dict[str, object]:
    """The overlay as plots.js wants it; of many bins only some are named."""
    step = max(1, math.ceil(len(shown.bins) / _NAMED_BINS))
    return {
        "kind": "histogram",
        "x": list(range(len(shown.bins))),
        "x_label": shown.unit or "bin",
        "unit": "share of rows",
        "ticks": {str(k): one.words for k, one in enumerate(shown.bins) if k % step == 0},
        "series": [
            {"name": "training", "role": "reference", "values": [b.reference for b in shown.bins]},
            {"name": "served", "role": "live", "values": [b.live for b in shown.bins]},
        ],
    }


def _slice(found: list[DeviceView]) -> tuple[int, list[DeviceView]]:
    pages = max(1, math.ceil(len(found) / _ACROSS))
    number = min(max(1, request.args.get("page", 1, int)), pages)
    return number, found[(number - 1) * _ACROSS : number * _ACROSS]


def _exported(devices: list[str], warm: list[Warm]) -> Response:
    columns = ("feature", *devices)
    rows = [_row(one, devices) for one in warm]
    return exports.answer("drift", rows, columns)


def _row(one: Warm, devices: list[str]) -> dict[str, object]:
    row: dict[str, object] = {"feature": one.feature}
    row.update(zip(devices, one.ratios, strict=True))
    return row
