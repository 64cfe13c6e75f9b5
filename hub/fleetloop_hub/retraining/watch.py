"""Gathers the evidence that a decision rests on from telemetry and catalog."""

from collections import Counter

from fleetloop_hub.fleet_records import Rollout, RolloutState
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Run, RunState
from fleetloop_hub.retraining.decide import DeviceDrift, Evidence
from fleetloop_shared.reports import DriftReport

_NEWEST = 2_000


def gather(
    catalog: Catalog, telemetry: Telemetry, model: str, champion: int, now: float
) -> Evidence:
    """The evidence about one model's champion, as far as it has come in.

    Labels count from the first alarm on: only those rows show the changed world.
    """
    reports = [
        stored.report
        for stored in telemetry.reports("drift", limit=_NEWEST)
        if isinstance(stored.report, DriftReport)
        and (stored.report.model, stored.report.version) == (model, champion)
    ]
    last = {report.device: report for report in reports}
    alarmed: Counter[str] = Counter()
    quiet: Counter[str] = Counter()
    for report in reports:
        alarmed[report.device] = alarmed[report.device] + 1 if report.alarm else 0
        quiet[report.device] = 0 if report.alarm else quiet[report.device] + 1
    alarms = [report.at for report in reports if report.alarm]
    labels = sum(1 for _ in telemetry.labelled(model, since=min(alarms))) if alarms else 0
    runs = [r for r in catalog.all(Run) if r.model == model]
    ended = [r.started_at + r.duration_s for r in runs if r.state is not RunState.RUNNING]
    busy = [f"run {r.key} is under way" for r in runs if r.state is RunState.RUNNING]
    rollouts = [r for r in catalog.all(Rollout) if r.state is RolloutState.OPEN]
    busy += [f"rollout {r.key} is under way" for r in rollouts]
    return Evidence(
        drift=[_device_drift(r, alarmed[r.device], quiet[r.device]) for r in last.values()],
        labels=labels,
        since_training_s=now - max(ended) if ended else float("inf"),
        busy=busy[0] if busy else None,
    )


def _device_drift(report: DriftReport, alarms: int, quiet: int) -> DeviceDrift:
    """A window in words that a decision can use: the feature, or what else has moved most."""
    moved = {f.name: f.ratio for f in report.features[:1]}
    moved |= {f"the correlation of {c.a} and {c.b}": c.ratio for c in report.correlations[:1]}
    moved["the score"] = report.score_ratio
    top = max(moved, key=lambda name: moved[name])
    return DeviceDrift(report.device, alarms, quiet, report.ratio, top)
