"""What the story of the weather found, and what must be true of it."""

from fleetloop_firmware_sim.stories.summary import Summary


class WeatherSummary(Summary, frozen=True, kw_only=True):
    """Read off the running system.

    Attributes:
        champion_before: Version that the fleet ran before the world changed.
        champion_after: Version that it ran at the end.
        accuracy_before: Of the former on the held-out rows, by the devices' own bytes and runtime.
        accuracy_after: Of the latter on the same rows, as the devices answered over HTTP.
        accuracy_gain: The difference.
        accuracy_gain_low: Lower end of its 95 % interval (paired over rows).
        accuracy_gain_high: Upper end of it.
        held_out_rows: How many rows these were.
        drift_alarms: Windows that were alarms, until the retraining.
        first_drift_after_rows: Rows a device had served when the first alarm came.
        devices_committed: How many had committed the last champion.
        resumed_fetches: Fetches taken up again after a kill.
        artifact_bytes: Size of the last champion's artifact.
        float_bytes: Size of its float32 form.
    """

    champion_before: int | None = None
    champion_after: int | None = None
    accuracy_before: float | None = None
    accuracy_after: float | None = None
    accuracy_gain: float | None = None
    accuracy_gain_low: float | None = None
    accuracy_gain_high: float | None = None
    held_out_rows: int = 0
    drift_alarms: int = 0
    first_drift_after_rows: int | None = None
    devices_committed: int = 0
    resumed_fetches: int = 0
    artifact_bytes: int | None = None
    float_bytes: int | None = None


def demands(found: WeatherSummary) -> dict[str, bool]:
    """What has to be true for the loop to have closed."""
    before, after = found.champion_before, found.champion_after
    return {
        "no version was released": before is not None,
        "no device saw drift": found.drift_alarms > 0,
        "no better version took over": before is not None and after is not None and after > before,
        "the gain in accuracy is not beyond chance": (found.accuracy_gain_low or 0.0) > 0.0,
        "not every device runs the champion": (
            after is not None and found.devices_committed == found.devices
        ),
        "the killed device did not resume its fetch": found.resumed_fetches > 0,
    }
