"""THE table of the kinds of alerts: what each means, and how long it must stand or be gone.

docs/alerts.md has it from this module, compared by a test.
"""

from dataclasses import dataclass

from fleetloop_hub.alert_records import AlertKind


@dataclass(frozen=True)
class Terms:
    """The terms of one kind.

    Attributes:
        for_s: So long must a condition stand before an alert opens.
        clear_s: So long must it be gone before the alert closes.
        subject: Whom or what one alert is about.
        says: When a condition stands.
    """

    for_s: float
    clear_s: float
    subject: str
    says: str


_K = AlertKind

TERMS: dict[AlertKind, Terms] = {
    _K.DRIFT: Terms(
        10, 120, "model@cohort", "the last window of a device shows drift under the loaded version"
    ),
    _K.ODD_DEVICE: Terms(
        30, 300, "model", "devices or cohorts stand apart from the others that serve the champion"
    ),
    _K.SILENT_DEVICE: Terms(
        0, 30, "cohort", "a device has not been connected for five minutes, or was not heard of for"
        " a day"
    ),
    _K.ROLLOUT_STOPPED: Terms(
        0, 0, "model@place", "the last rollout there is paused or goes back, or was reverted or has"
        " expired within the last seven days"
    ),
    _K.APPROVAL_WAITING: Terms(
        0, 0, "model, model@place or keys", "a version, rollout, run or signature waits for a"
        " person"
    ),
    _K.ACCURACY: Terms(
        10, 120, "model, model@devices", "labels prove that the champion, or what a device has"
        " loaded, is worse than its gate demands (risk of error 1 %)"
    ),
    _K.FAIRNESS: Terms(
        10, 600, "model", "the champion answers groups of people less alike on devices than the"
        " spec allows"
    ),
    _K.ATTACK: Terms(
        0, 600, "name of the attempt", "within the last minute something was refused that no"
        " accident explains"
    ),
    _K.RUN_FAILED: Terms(
        0, 0, "model", "the last run of a model has failed, within the last seven days"
    ),
    _K.KEYS_ENDING: Terms(
        0, 0, "repository-role", "what people have signed ends soon, or has ended"
    ),
    _K.DISK: Terms(
        30, 120, "hub", "less than 1 GB is free where the hub keeps its state; grave below 200 MB"
    ),
}  # fmt: skip
"""One a kind."""


def table() -> str:
    """The table as docs/alerts.md has it."""
    lines = ["| kind | about | stands when | opens after | closes after |", "|---|---|---|--:|--:|"]
    lines += [
        f"| `{kind}` | {t.subject} | {t.says} | {_seconds(t.for_s)} | {_seconds(t.clear_s)} |"
        for kind, t in TERMS.items()
    ]
    return "\n".join(lines)


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.0f} s" if duration_s else "at once"
