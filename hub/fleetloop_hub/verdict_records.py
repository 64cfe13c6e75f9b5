"""Who has moved: one device, one cohort or the whole fleet, as a record that can say why."""

from enum import StrEnum

import msgspec


class Who(StrEnum):
    """Who has moved away from what the model was trained on."""

    NOBODY = "nobody"
    DEVICES = "devices"
    COHORTS = "cohorts"
    FLEET = "fleet"
    UNDECIDED = "undecided"


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing in which somebody differs.

    Attributes:
        feature: The feature; of a pair the first one, of the answers "the score".
        what: "mean", "spread", "missing", "category", "correlation", "score", or "swapped" of two
            features which would be as elsewhere if each had the other's wire.
        size: Here minus there: in the feature's own unit for mean and spread, as a share of the
            rows for missing and category, 0 for swapped, else as it is.
        here: The value of whom it is about, in the same unit.
        there: The value of those they are compared with.
        other: The second feature of a pair; the category, or the range of a constant's bin.
        unit: What size, here and there are measured in, "" if it has no unit or is a share.
        chance: The chance of a difference of this size or more, anywhere in the fleet, in peace.
    """

    feature: str
    what: str
    size: float
    here: float
    there: float
    other: str = ""
    unit: str = ""
    chance: float


class Odd(msgspec.Struct, frozen=True, kw_only=True):
    """A device or a cohort that has moved, and the others have not.

    Attributes:
        name: The device's id, or the cohort's name.
        rows: Rows it is judged on.
        ratio: Its largest drift statistic / threshold, over all these rows.
        differences: What sets it apart, the least likely first; never none.
    """

    name: str
    rows: int
    ratio: float
    differences: list[Difference]


class FleetVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Who has moved, of the devices that serve one version.

    Attributes:
        model: The model.
        version: Its version.
        who: Who has moved.
        text: The same in words, with devices, features and sizes.
        reasons: What it rests on, and what could not be judged.
        devices: Devices that are apart from the others, the least likely first.
        cohorts: Cohorts that are apart from the others.
        ratio: The largest drift statistic / threshold of all judged devices' rows together,
            without those of `devices`.
        moved: Devices that have themselves moved away from the reference, by id.
        judged: How many devices had rows enough.
        rows: The rows of these.
        unjudged: Devices that had not, by id.
        silent: Devices whose last window is of another time than the others', by id; not judged.
        silent_alarmed: Those of them that saw drift in it.
    """

    model: str
    version: int
    who: Who
    text: str
    reasons: list[str]
    devices: list[Odd]
    cohorts: list[Odd]
    ratio: float
    moved: list[str]
    judged: int
    rows: int
    unjudged: list[str]
    silent: list[str] = []
    silent_alarmed: list[str] = []
