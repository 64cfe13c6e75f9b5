"""What the fraud story found, for the fleet with the loop and its twin without."""

from fleetloop_firmware_sim.stories.summary import Summary

GOOD, COLLAPSED, RECOVERED = 0.6, 0.6, 0.75
"""Average precision before; the largest share of it during; the smallest share of it after."""

Interval = tuple[float, float]


class FraudSummary(Summary, frozen=True, kw_only=True):
    """Read off the running system; intervals are 95 %, by bootstrap over rows.

    "Before" are the rows before the new technique, "during" those after it until the loop's fleet
    has a new version everywhere, "after" those from then on.

    Attributes:
        champion_after: Version that the fleet with the loop runs at the end.
        still_version: Version that the fleet without it runs at the end.
        trigger: What the retraining was decided by.
        rows: Uses of cards before, during, after.
        frauds: Frauds among them.
        precision: Average precision of the fleet with the loop before, during, after.
        precision_intervals: Their intervals.
        still_precision: Of the fleet without it, on the same uses.
        still_intervals: Their intervals.
        gain_low: Lower end of the interval of the difference after, on the same uses.
        gain_high: Upper end of it.
        rows_until_noticed: Uses from the new technique's first until the hub decided to retrain.
        rows_until_recovery: Uses from the new technique's first until a new version was everywhere.
        labels_told: Truths that came late.
        caught_eur: Fraud since then that the fleet with the loop answered yes to.
        still_caught_eur: The same of the fleet without it.
        fraud_eur: All fraud since the new technique began.
        devices_committed: Devices of the fleet with the loop that run its last champion.
    """

    champion_after: int | None = None
    still_version: int | None = None
    trigger: str = ""
    rows: tuple[int, ...] = ()
    frauds: tuple[int, ...] = ()
    precision: tuple[float, ...] = ()
    precision_intervals: tuple[Interval, ...] = ()
    still_precision: tuple[float, ...] = ()
    still_intervals: tuple[Interval, ...] = ()
    gain_low: float | None = None
    gain_high: float | None = None
    rows_until_noticed: int | None = None
    rows_until_recovery: int | None = None
    labels_told: int = 0
    caught_eur: float = 0.0
    still_caught_eur: float = 0.0
    fraud_eur: float = 0.0
    devices_committed: int = 0


def demands(found: FraudSummary) -> dict[str, bool]:
    """What has to be true for the loop to have closed."""
    before, during, after = found.precision if len(found.precision) == 3 else (0.0, 1.0, 0.0)  # noqa: PLR2004  # three parts of the story
    return {
        f"the first version was not good: average precision below {GOOD}": before >= GOOD,
        "the new technique did not make precision collapse": during <= COLLAPSED * before,
        "the hub never decided to retrain": found.rows_until_noticed is not None,
        "no later version took over": (found.champion_after or 1) > 1,
        "precision did not recover": after >= RECOVERED * before > 0.0,
        "the gain over the fleet without the loop is not beyond chance": (
            (found.gain_low or 0.0) > 0.0
        ),
        "the fleet without the loop did not stay at version 1": found.still_version == 1,
        "not every device with the loop runs the champion": (
            found.devices_committed * 2 == found.devices > 0
        ),
    }
