"""What tells one dataset version from another."""

import msgspec

from fleetloop_hub.dataset_parts import Shift


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two numbers of the same thing.

    Attributes:
        a: Of the first version.
        b: Of the second.
    """

    a: int
    b: int


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What tells one dataset version from another.

    Attributes:
        a: Key of the first.
        b: Key of the second.
        rows: How many each has, those that wait for a label too.
        added: Rows of the second that the first does not have.
        removed: Rows of the first that the second does not have.
        columns_added: Columns that only the second has.
        columns_removed: Columns that only the first has.
        labels: Rows of each class, by its name, or by its number if it has none.
        quarantined: Rows that failed each check.
        columns: The second against the first, the column that moved most first.
    """

    a: str
    b: str
    rows: Pair
    added: int
    removed: int
    columns_added: list[str]
    columns_removed: list[str]
    labels: dict[str, Pair]
    quarantined: dict[str, Pair]
    columns: list[Shift]
