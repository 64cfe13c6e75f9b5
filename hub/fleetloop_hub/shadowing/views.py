"""What people are shown of shadows."""

from fleetloop_hub.fleet_records import Device
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.shadow_records import ShadowRun
from fleetloop_hub.shadowing.shown import ShadowView
from fleetloop_hub.shadowing.sums import KIND, Sums
from fleetloop_hub.shadowing.weighing import weigh
from fleetloop_shared.latency import quantile_us

MOST_SHOWN = 20
MOST_REPORTS = 200_000
_CONFIDENCE = 0.95


def gather(run: ShadowRun, sums: Sums, catalog: Catalog, telemetry: Telemetry) -> None:
    """Count what has been told of a shadow since it was last looked at."""
    hardware = {d.key: d.hardware for d in catalog.all(Device) if d.cohort == run.cohort}
    sums.take(telemetry.reports(KIND, since=sums.since, limit=MOST_REPORTS), hardware)


def views(catalog: Catalog, telemetry: Telemetry) -> list[ShadowView]:
    """The newest shadows, the last one first."""
    runs = sorted(catalog.all(ShadowRun), key=lambda run: run.started_at, reverse=True)
    return [_view(run, catalog, telemetry) for run in runs[:MOST_SHOWN]]


def _view(run: ShadowRun, catalog: Catalog, telemetry: Telemetry) -> ShadowView:
    sums = Sums(run)
    gather(run, sums, catalog, telemetry)
    total = sums.total
    p50_us = quantile_us(total.latency_counts, 0.5) if total is not None else None
    return ShadowView(
        run=run,
        devices=len(sums.devices),
        weighed=weigh(total, _CONFIDENCE) if total is not None else None,
        counts=total,
        by_hardware={
            kind: weigh(counts, _CONFIDENCE) for kind, counts in sorted(sums.by_hardware.items())
        },
        run_p50_ms=p50_us / 1_000 if p50_us is not None else None,
    )
