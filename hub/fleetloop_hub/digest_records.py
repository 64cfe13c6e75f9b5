"""What reports add up to, kept as they come, so that nobody has to read them all again."""

from dataclasses import dataclass

from fleetloop_shared.reports import DriftReport


@dataclass(frozen=True)
class WindowBrief:
    """The verdict on one window of rows, in brief.

    Attributes:
        boot: The boot in which it was told.
        seq: Its number in that boot; with `boot` the order in which things happened.
        at: When it was told, by the device's clock, and never later than the hub took it in.
        stored_at: When that was, Unix seconds.
        model: The model that served.
        version: Its version.
        first_row: Number of the first row since this version was activated.
        closed: Whether this is a reporting window that is over.
        alarm: Whether anything passed its threshold.
        ratio: The largest statistic / threshold.
        feature: What moved most, as `moved_most` calls it.
    """

    boot: int
    seq: int
    at: float
    stored_at: float
    model: str
    version: int
    first_row: int
    closed: bool
    alarm: bool
    ratio: float
    feature: str


@dataclass(frozen=True)
class StoredPayload:
    """A report as it came, for who may not have to read it.

    Attributes:
        boot: The boot in which it was told.
        seq: Its number in that boot.
        stored_at: When it was taken in, Unix seconds.
        payload: As it came.
    """

    boot: int
    seq: int
    stored_at: float
    payload: bytes


@dataclass(frozen=True)
class ServedRows:
    """What one device's health reports add up to under one version.

    Attributes:
        model: The loaded model, None while there was none.
        version: Its version.
        rows: Rows answered.
        labels: Labels that came for its answers.
        right: Those that were answered as labelled, None where answers are no classes.
    """

    model: str | None
    version: int | None
    rows: int
    labels: int
    right: int | None


@dataclass(frozen=True)
class WindowCounts:
    """Every window that devices have judged, counted.

    Attributes:
        windows: Reporting windows that are over, and those that are open and an alarm already.
        alarms: How many of them were alarms.
        first_alarm: Device, boot and number of the earliest alarm, None without alarms.
    """

    windows: int
    alarms: int
    first_alarm: tuple[str, int, int] | None


@dataclass(frozen=True)
class LabelCounts:
    """What labels that came say of a version's answers.

    Attributes:
        labels: Labelled answers.
        right: Those that were answered as labelled; says nothing of a regression.
        error: Mean distance of the answers from their labels.
    """

    labels: int
    right: int
    error: float


def moved_most(drift: DriftReport) -> str:
    """What moved most: a feature, a pair of them, or the answers themselves."""
    ratios = {f.name: f.ratio for f in drift.features}
    ratios |= {f"the correlation of {c.a} and {c.b}": c.ratio for c in drift.correlations}
    ratios["the score"] = drift.score_ratio
    return max(ratios, key=lambda name: ratios[name])
