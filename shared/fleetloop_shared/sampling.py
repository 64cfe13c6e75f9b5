"""Which served rows a device may send as samples, as it is signed; and why one was sent."""

from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """Why a row was sent; the first that applies, in this order."""

    DRIFT = "drift"
    DISAGREEMENT = "disagreement"
    OUT_OF_RANGE = "out-of-range"
    LOW_CONFIDENCE = "low-confidence"
    RANDOM = "random"


class SamplingPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Which served rows may leave the device. Without a policy none does.

    Attributes:
        random_share: Share of all rows, drawn at random, 0 to 1.
        low_confidence: Share of the rows that the model is least sure of, by its scores in
            training: those nearest to the decision threshold, or with the least probable answers.
        out_of_range: Whether rows with a value outside its feature's range or categories are sent.
        disagreement: Whether rows are sent that a challenger in shadow answers otherwise.
        drifted_first: Whether, while drift is an alarm, rows that show it are sent before others.
        bytes_per_day: No 24 hours see more bytes of samples written than this. A quarter of it can
            be saved up, and three quarters flow in over a day.
        never: Features whose values never leave; a sample has null in their places.
    """

    random_share: float = 0.0
    low_confidence: float = 0.0
    out_of_range: bool = False
    disagreement: bool = False
    drifted_first: bool = False
    bytes_per_day: int = 1_000_000
    never: list[str] = []
