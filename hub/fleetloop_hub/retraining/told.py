"""What devices make of labels that they were given themselves, as their health reports say."""

from fleetloop_hub.ports import Telemetry
from fleetloop_hub.retraining.evidence import LabelLoss
from fleetloop_hub.retraining.sight import ENOUGH_TO_COMPARE
from fleetloop_shared.estimate.records import LabelEvidence
from fleetloop_shared.reports import HealthReport

_ENOUGH_LABELS = 30


class ToldLosses:
    """Keeps the last word of each device."""

    def __init__(self, telemetry: Telemetry) -> None:
        """Begin with the newest report of each device."""
        self._digests, self._after = telemetry.digests, 0
        self._last: dict[str, HealthReport] = {}
        self._tells: set[str] = set()

    def look(self, model: str, version: int, share: float) -> LabelLoss | None:
        """How many devices say that labels prove the version below its gate; None if none can tell.

        Args:
            model: The model.
            version: The version they serve.
            share: The share of those that can tell, from which on it is the world.
        """
        changed, self._after = self._digests.changed(self._after)
        for device in changed:
            report = self._digests.latest(device, HealthReport)
            if report is not None:
                self._last[device] = report
                self._tells.discard(device)
                if report.evidence is not None:
                    self._tells.add(device)
        told = {
            device: report.evidence
            for device in sorted(self._tells)
            for report in [self._last[device]]
            if (report.model, report.version) == (model, version)
            and report.evidence is not None
            and (report.evidence.alarm or report.evidence.labels >= _ENOUGH_LABELS)
        }
        return _summed(told, share) if told else None


def _summed(told: dict[str, LabelEvidence], share: float) -> LabelLoss:
    alarmed = sorted(device for device, evidence in told.items() if evidence.alarm)
    first = next(iter(told.values()))
    many = len(alarmed) >= share * len(told) and (len(alarmed) > 1 or len(told) == 1)
    alone = len(alarmed) == 1 and len(told) >= ENOUGH_TO_COMPARE
    return LabelLoss(
        text=f"{len(alarmed)} of {len(told)} devices say by labels of their own that "
        f"{first.metric.replace('_', ' ')} is not the {first.demanded:.3g} that the "
        f"{first.demanded_by} demands (risk of error 1 % each)",
        labels=sum(evidence.labels for evidence in told.values()),
        value=None,
        demanded=first.demanded,
        proven=bool(alarmed),
        shared=many,
        device=alarmed[0] if alone and not many else "",
    )
