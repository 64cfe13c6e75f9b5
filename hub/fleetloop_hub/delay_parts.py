"""Parts of a version's record that say how soon devices will see a change."""

import msgspec

UNSEEN = 0
"""Instead of a number of rows: no window shows the change by its median, though one may by luck."""


class FeatureDelay(msgspec.Struct, frozen=True, kw_only=True):
    """Rows until a change of one feature is an alarm: the median, whenever it begins.

    None where the change makes no sense for the feature, `UNSEEN` where it is seldom seen.

    Attributes:
        name: The feature.
        unit: Of its values, "" if it has none.
        sd: Standard deviation in the reference, in that unit.
        quarter_sd: The mean moves by 0.25 standard deviations.
        half_sd: By 0.5.
        whole_sd: By 1.
        spread: The standard deviation becomes 1.5 times as large.
        missing: 2 % more of its values are missing.
        unknown: 2 % of its values are of a category that is not listed.
    """

    name: str
    unit: str
    sd: float
    quarter_sd: int | None = None
    half_sd: int | None = None
    whole_sd: int | None = None
    spread: int | None = None
    missing: int | None = None
    unknown: int | None = None


class PairDelay(msgspec.Struct, frozen=True, kw_only=True):
    """Rows until an alarm after the correlation of two features has changed its sign.

    Attributes:
        a: One feature.
        b: The other.
        correlation: Before.
        flipped: The median, `UNSEEN` if it is seldom seen.
    """

    a: str
    b: str
    correlation: float
    flipped: int


class Delays(msgspec.Struct, frozen=True, kw_only=True):
    """How soon the changes that are worth knowing would be an alarm, by the calibrated thresholds.

    Attributes:
        features: In the order of the model's inputs.
        pairs: The most strongly correlated pairs.
    """

    features: list[FeatureDelay]
    pairs: list[PairDelay]
