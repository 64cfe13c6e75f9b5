"""Whether a version has shown enough beside the champion: a pure function of what was counted."""

from dataclasses import dataclass
from enum import StrEnum

from fleetloop_hub.shadowing.weighing import Weighed
from fleetloop_hub.spec.shadow_table import ShadowTable

_HOUR_S = 3_600.0


class Ready(StrEnum):
    """What a rollout that waits for a shadow may do."""

    WAIT = "wait"
    OPEN = "open"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Ruling:
    """What a rollout may do, and why.

    Attributes:
        ready: What.
        text: Why, in words.
    """

    ready: Ready
    text: str


def rule(weighed: Weighed, table: ShadowTable, waited_s: float) -> Ruling:
    """Whether the rollout may begin.

    Args:
        weighed: What was counted.
        table: What the spec demands.
        waited_s: How long the challenger has run.
    """
    refused = _refused(weighed, table)
    if refused:
        return Ruling(Ready.REFUSE, refused)
    missing = _missing(weighed, table)
    if not missing:
        return Ruling(Ready.OPEN, f"shown in shadow: {words(weighed)}")
    lacking = "; ".join(missing)
    if waited_s < table.most_hours * _HOUR_S:
        return Ruling(Ready.WAIT, f"in shadow: {lacking}")
    late = f"after {table.most_hours:g} hours in shadow, {lacking}"
    if table.then == "go on":
        return Ruling(Ready.OPEN, f"{late}; the rollout begins all the same, as the spec says")
    return Ruling(Ready.REFUSE, f"{late}; it is not rolled out")


def words(weighed: Weighed) -> str:
    """What was counted, for people."""
    if weighed.agreement is None:
        return "no rows yet"
    text = (
        f"{weighed.rows:,} rows, {100 * weighed.agreement:.1f} % answered alike (surely "
        f"{100 * weighed.agreement_low:.1f} to {100 * weighed.agreement_high:.1f} %)"
    )
    if weighed.points is None:
        return f"{text}, no labels yet"
    return (
        f"{text}; on {weighed.labels:,} labelled rows {weighed.points:+.1f} points of accuracy "
        f"(surely {weighed.points_low:+.1f} to {weighed.points_high:+.1f})"
    )


def _refused(weighed: Weighed, table: ShadowTable) -> str:
    """What is proven against it, "" for nothing."""
    if weighed.agreement_high < table.agreement:
        return (
            f"it answers like the champion on {100 * weighed.agreement_high:.1f} % of the rows at"
            f" most, and {100 * table.agreement:.1f} % are demanded; it is not rolled out"
        )
    worst = {"none": -float("inf"), "no worse": -table.accuracy_points, "better": 0.0}
    if weighed.points_high < worst[table.labels]:
        return (
            f"its accuracy is {-weighed.points_high:.1f} points or more below the champion's on"
            f" {weighed.labels:,} labelled rows; it is not rolled out"
        )
    return ""


def _missing(weighed: Weighed, table: ShadowTable) -> list[str]:
    """What is not proven yet, in words."""
    missing = []
    if weighed.rows < table.rows:
        missing.append(f"{weighed.rows:,} of {table.rows:,} rows")
    if weighed.agreement_low < table.agreement:
        missing.append(
            f"agreement proven to {100 * weighed.agreement_low:.1f} % of"
            f" {100 * table.agreement:.1f} %"
        )
    if table.labels == "no worse" and weighed.points_low < -table.accuracy_points:
        missing.append(
            f"with {weighed.labels:,} labels it may be {-weighed.points_low:.1f} points worse"
        )
    if table.labels == "better" and weighed.points_low <= 0:
        missing.append(f"not proven to be better with {weighed.labels:,} labels")
    return missing
