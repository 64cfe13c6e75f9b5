"""What a device says of the accuracy of its loaded version, as its line in the overview has it."""

from collections.abc import Iterable

import msgspec

from fleetloop_hub.monitoring.accuracy_views import against
from fleetloop_hub.monitoring.overview import DeviceView, Level
from fleetloop_shared.estimate.records import ACCURACY, MAE, Estimate
from fleetloop_shared.reports import DriftReport, HealthReport


def with_accuracy(
    view: DeviceView, health: HealthReport | None, closed: DriftReport | None
) -> DeviceView:
    """The line with the estimate of the last window, and a warning if labels contradict the gate.

    Args:
        view: The line without.
        health: The last health report.
        closed: The verdict on the last reporting window.
    """
    if closed is not None and _about(view, closed) and _sensible(closed.estimate):
        view = msgspec.structs.replace(view, estimate=closed.estimate)
    evidence = health.evidence if health is not None and _about(view, health) else None
    if evidence is None or not evidence.alarm:
        return view
    return msgspec.structs.replace(
        view,
        level=Level.WARN if view.level is Level.GOOD else view.level,
        words=f"{view.words}; {against(evidence)}",
    )


def below_the_gate(devices: Iterable[DeviceView]) -> list[str]:
    """The devices whose labels contradict the gate of the version that they have loaded."""
    return [
        view.device
        for view in devices
        if view.health is not None
        and _about(view, view.health)
        and view.health.evidence is not None
        and view.health.evidence.alarm
    ]


def _sensible(estimate: Estimate | None) -> bool:
    """A device may have said any number."""
    if estimate is None or estimate.metric != ACCURACY:
        return estimate is not None and estimate.metric == MAE
    told = (estimate.value, estimate.low, estimate.high)
    return all(number is None or 0 <= number <= 1 for number in told)


def _about(view: DeviceView, report: HealthReport | DriftReport) -> bool:
    return (report.model, report.version) == (view.model, view.version)
