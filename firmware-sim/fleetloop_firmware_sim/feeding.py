"""Feeds a recording to a running agent at a chosen speed, and says what came of it."""

import time
from collections.abc import Callable

import msgspec

from fleetloop_firmware_sim.errors import FeedError
from fleetloop_firmware_sim.sensor import Pace, Sensor

PATIENCE_S = 30.0
"""A device that was there and is away for longer is given up."""

_BATCH_ROWS = 64
_LOOK_S = 0.5


class Fed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of feeding.

    Attributes:
        rows: Rows answered.
        unanswered: How often rows were offered in vain.
        accuracy: Share of right answers among those whose truth is known.
        versions: Each version that answered, with the row at which it first did.
    """

    rows: int
    unanswered: int
    accuracy: float | None
    versions: list[tuple[int, int]]


def summary(sensor: Sensor) -> Fed:
    """What has come of it so far."""
    return Fed(
        rows=len(sensor.readings),
        unanswered=sensor.unanswered,
        accuracy=sensor.accuracy(),
        versions=sensor.versions(),
    )


def feed(sensor: Sensor, rows_per_s: float, show: Callable[[Fed], None]) -> None:
    """Feed every row and every label; a device that restarts meanwhile is waited for.

    Args:
        sensor: What measures.
        rows_per_s: How fast.
        show: Called now and then.

    Raises:
        FeedError: The device refuses, or does not come back.
        RecordingError: The model wants a column that the recording lacks.
    """
    pace = Pace(rows_per_s, time.monotonic())
    heard_at = shown_at = time.monotonic()
    while not sensor.done:
        now = time.monotonic()
        try:
            sensor.measure(pace.due(now, _BATCH_ROWS))
            heard_at = now
        except FeedError:
            if now - heard_at > PATIENCE_S or not sensor.readings:
                raise
        if now - shown_at >= _LOOK_S:
            shown_at = now
            show(summary(sensor))
        time.sleep(min(1.0 / rows_per_s, _LOOK_S))
    sensor.tell_the_rest()
