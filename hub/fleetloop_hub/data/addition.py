"""How far rows that are being added are."""

import msgspec

from fleetloop_hub.records import Dataset


class Addition(msgspec.Struct, frozen=True, kw_only=True):
    """How far an addition is, or what came of it.

    Attributes:
        key: Its name.
        model: The model it is for.
        share: Of the work that is done, 0 to 1.
        text: What is being done, in words.
        ended: Whether it has ended.
        grown: Whether there is a new version; if not, the sources hold nothing new.
        dataset: The model's newest version, when it has ended well.
        error: Why nothing came of it, with the next step.
    """

    key: str
    model: str
    share: float = 0.0
    text: str = "starting"
    ended: bool = False
    grown: bool = False
    dataset: Dataset | None = None
    error: str | None = None
