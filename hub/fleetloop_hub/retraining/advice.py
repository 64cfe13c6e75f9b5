"""What to do and why, with what else was considered."""

from dataclasses import dataclass, field
from enum import StrEnum

from fleetloop_hub.decision_records import Alternative
from fleetloop_hub.records import Verdict


class Finding(StrEnum):
    """What the evidence shows; the log notes each once, however often it is looked at."""

    QUIET = "quiet"
    FEW = "few devices see drift"
    ODD_ONE = "one odd device"
    ODD_COHORT = "an odd cohort"
    BAD_LABELS = "one device's answers are wrong"
    HARMLESS = "a changed world in which the model is still right"
    NOT_YET = "a changed world, not yet to be learned"
    LEARNED = "a changed world, and no rows that have not been learned from"
    CHANGED = "a changed world"
    BETTER_BEFORE = "the version before is better"


@dataclass(frozen=True)
class Advice:
    """What to do and why.

    Attributes:
        finding: What the evidence shows.
        verdict: What to do about it.
        trigger: What led to it.
        reasons: In words, the weightiest first.
        devices: The devices that it names, or cohorts where those are odd.
        numbers: The evidence in numbers; units stand in the names.
        alternatives: What else was considered, and why it was not done.
        rule: The name of the rule that won.
        version: The version to go back to; None where none is meant.
    """

    finding: Finding
    verdict: Verdict
    trigger: str
    reasons: list[str]
    devices: list[str]
    numbers: dict[str, float]
    alternatives: list[Alternative] = field(default_factory=list)
    rule: str = ""
    version: int | None = None

    @property
    def noted_once(self) -> tuple[str, ...]:
        """Advice that agrees in this is written down once: the same finding, about the same odd."""
        if self.finding is Finding.LEARNED:
            return (self.finding, self.reasons[-1])
        odd = self.finding in {Finding.ODD_ONE, Finding.ODD_COHORT, Finding.BAD_LABELS}
        return (self.finding, *(self.devices if odd else []))
