"""Which alerts nobody is told of for a while."""

from collections.abc import Iterable

from fleetloop_hub.alert_records import Alert, Silence


def holds(silence: Silence, now: float) -> bool:
    """Whether a silence has not ended yet."""
    return now < silence.until


def is_silent(alert: Alert, silences: Iterable[Silence], now: float) -> bool:
    """Whether nobody is to be told of an alert now."""
    return any(
        holds(one, now) and one.kind in {None, alert.kind} and one.subject in {"", alert.subject}
        for one in silences
    )
