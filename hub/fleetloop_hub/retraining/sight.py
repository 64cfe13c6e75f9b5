"""What can be seen in the evidence at one look: how many see drift, and who stands apart."""

from dataclasses import dataclass
from functools import cached_property

from fleetloop_hub.retraining.evidence import DeviceDrift, Evidence
from fleetloop_hub.spec.retrain_table import RetrainTable
from fleetloop_hub.verdict_records import Who

ENOUGH_TO_COMPARE = 3
"""Devices, below which none of them can be called odd."""

_WINDOWS_ALONE = 3


@dataclass(frozen=True)
class Sight:
    """Evidence under a policy.

    Attributes:
        evidence: What has been seen.
        policy: When and on what the model is trained anew.
    """

    evidence: Evidence
    policy: RetrainTable

    @cached_property
    def alarmed(self) -> list[DeviceDrift]:
        """Devices that see drift."""
        return [d for d in self.evidence.drift if d.alarms]

    @cached_property
    def widespread(self) -> bool:
        """Whether so many of the devices see drift that the policy calls it the world."""
        drift = self.evidence.drift
        share = len(self.alarmed) / len(drift) if drift else 0.0
        return bool(self.alarmed) and share >= self.policy.drift_devices

    @property
    def seen(self) -> str:
        """How many devices see drift, and most in what."""
        seen = f"{len(self.alarmed)} of {len(self.evidence.drift)} devices see drift"
        return f"{seen}, {self.where}" if self.alarmed else "no device sees drift"

    @property
    def where(self) -> str:
        """In which feature drift is largest."""
        top = max(self.alarmed, key=lambda d: d.ratio)
        return f"most in {top.feature} ({top.ratio:.1f} times its threshold)"

    @cached_property
    def odd_cohorts(self) -> bool:
        """Whether profiles say that one cohort has moved and others have not."""
        verdict = self.evidence.verdict
        return bool(self.alarmed) and verdict is not None and verdict.who is Who.COHORTS

    @cached_property
    def odd_devices(self) -> list[str]:
        """Devices that profiles set apart and that see drift themselves, if the rest does not.

        Where so many of the others see drift, too, that the policy calls it the world, none is odd.
        """
        verdict = self.evidence.verdict
        if verdict is None or verdict.who is not Who.DEVICES:
            return []
        alarmed = {d.device for d in self.alarmed}
        odd = [odd.name for odd in verdict.devices if odd.name in alarmed]
        others = [d for d in self.evidence.drift if d.device not in odd]
        seeing = sum(d.alarms > 0 for d in others)
        world = bool(others) and seeing >= self.policy.drift_devices * len(others)
        return [] if world else odd

    @cached_property
    def lone_device(self) -> str:
        """Where profiles do not tell: one device alone, neither the first nor the last to see it.

        "" where there is none.
        """
        drift, alarmed = self.evidence.drift, self.alarmed
        quiet = [d for d in drift if d.quiet >= _WINDOWS_ALONE]
        lone = (
            len(alarmed) == 1
            and not self.widespread
            and alarmed[0].alarms >= _WINDOWS_ALONE
            and len(drift) >= ENOUGH_TO_COMPARE
            and len(quiet) == len(drift) - 1
        )
        return alarmed[0].device if lone else ""

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The evidence in numbers; the name of each says its unit, without one it is a count."""
        evidence = self.evidence
        found = {
            "devices_reporting": float(len(evidence.drift)),
            "devices_with_drift": float(len(self.alarmed)),
            "largest_ratio": max((d.ratio for d in evidence.drift), default=0.0),
            "new_labels": float(evidence.labels),
            "unlearned_labels": float(evidence.unlearned),
            "retrainings_in_24_h": float(evidence.trainings),
        }
        if evidence.since_training_s != float("inf"):
            found["since_training_s"] = evidence.since_training_s
        loss, estimated, before = evidence.loss, evidence.estimated, evidence.predecessor
        if loss is not None:
            found |= {"labels_in_field": float(loss.labels), "demanded": loss.demanded}
            found |= {} if loss.value is None else {"accuracy_by_labels": loss.value}
        if estimated is not None and estimated.value is not None:
            found["accuracy_estimated"] = estimated.value
        if before is not None:
            found |= {
                "predecessor": before.value,
                "champion": before.champion_value,
                "predecessor_better_by_at_least": before.low,
                "compared_rows": float(before.rows),
            }
        return found
