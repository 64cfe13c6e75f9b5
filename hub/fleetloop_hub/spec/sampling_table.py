"""The table of the spec that says which served rows devices may send as samples."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fleetloop_hub.spec.scalars import Column, Phase, Share, Table
from fleetloop_shared.sampling import SamplingPolicy


class SamplingTable(Table, frozen=True, kw_only=True):
    """Which served rows leave a device as samples; without this table none does.

    A sample says why it was sent and how probable that was. Where the budget is short, rows go in
    this order: those that show drift, disagreement in shadow, out of range, low confidence, random.

    Attributes:
        random_share: Share of all served rows, drawn at random. Whatever else is sent, give it
            some: rows of every kind are then seen.
        low_confidence: Share of the rows that the model is least sure of, by its scores in
            training; not of a regression.
        out_of_range: Whether to send rows with a value outside its feature's low..high or
            categories.
        disagreement: Whether to send rows that a challenger in shadow answers otherwise.
        drifted_first: Whether, while drift is an alarm, rows that show it are sent before others.
        bytes_per_day: What a device may write of samples in any 24 hours; the hub takes no more.
        never: Features whose values stay on the device: a sample has null there, and training on
            such rows takes the value for missing.
        most_of_one_device: The largest share of one device in the rows from the field in a dataset
            version; with few devices, twice its even share.
    """

    random_share: Share = 0.0
    low_confidence: Share = 0.0
    out_of_range: bool = False
    disagreement: bool = False
    drifted_first: bool = False
    bytes_per_day: Annotated[int, Meta(ge=10_000, le=1_000_000_000_000)] = 1_000_000
    never: list[Column] = msgspec.field(default_factory=list)
    most_of_one_device: Phase = 0.2

    @property
    def policy(self) -> SamplingPolicy | None:
        """What devices are told; None where nothing is sent."""
        asked = (self.random_share, self.low_confidence, self.out_of_range, self.disagreement)
        if not any((*asked, self.drifted_first)):
            return None
        return SamplingPolicy(
            random_share=self.random_share,
            low_confidence=self.low_confidence,
            out_of_range=self.out_of_range,
            disagreement=self.disagreement,
            drifted_first=self.drifted_first,
            bytes_per_day=self.bytes_per_day,
            never=self.never,
        )
