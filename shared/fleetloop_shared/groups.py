"""Groups of people as devices count them: which there are, what is counted, and what is allowed."""

import msgspec


class GroupColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A feature whose values are groups.

    Attributes:
        column: The feature.
        place: Its place among the features.
        names: What the groups are called, as they stand in the sources.
        values: The feature's value in each of them: of a category its place, of a number the number
            that a device sees.
    """

    column: str
    place: int
    names: list[str]
    values: list[float]


class GroupLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How far groups may be apart in the field: the limits of the gate.

    Attributes:
        columns: The features whose values are groups; of columns that are no features a device
            knows nothing.
        selection_gap: The largest difference of the shares that are answered yes.
        selection_ratio: The smallest ratio of them.
        true_positive_gap: The largest difference of the shares of positive rows answered yes.
        false_positive_gap: The largest difference of the shares of negative rows answered yes.
        group_rows: Rows below which a group is not judged.
    """

    columns: list[GroupColumn]
    selection_gap: float | None = None
    selection_ratio: float | None = None
    true_positive_gap: float | None = None
    false_positive_gap: float | None = None
    group_rows: int = 50


class GroupCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of one group were answered since the last health report; counts add up.

    Attributes:
        column: The feature.
        group: The group; "" where the value is missing, "other" where it is none that is known.
        rows: Rows that were answered.
        yes: Rows that were answered yes.
        positive: Labelled rows whose truth is yes.
        positive_yes: Of those, the ones answered yes.
        negative: Labelled rows whose truth is no.
        negative_yes: Of those, the ones answered yes.
    """

    column: str
    group: str
    rows: int = 0
    yes: int = 0
    positive: int = 0
    positive_yes: int = 0
    negative: int = 0
    negative_yes: int = 0


OTHER = "other"
"""The group of a value that none of the training rows had."""


def added(a: list[GroupCounts], b: list[GroupCounts]) -> list[GroupCounts]:
    """The sums of two lists, group by group.

    >>> [one] = added([GroupCounts(column="c", group="g", rows=1)],
    ...     [GroupCounts(column="c", group="g", rows=2, yes=1)])
    >>> one.rows, one.yes
    (3, 1)
    """
    sums: dict[tuple[str, str], GroupCounts] = {}
    for counts in (*a, *b):
        old = sums.get((counts.column, counts.group))
        sums[counts.column, counts.group] = counts if old is None else _plus(old, counts)
    return list(sums.values())


def _plus(a: GroupCounts, b: GroupCounts) -> GroupCounts:
    return msgspec.structs.replace(
        a,
        rows=a.rows + b.rows,
        yes=a.yes + b.yes,
        positive=a.positive + b.positive,
        positive_yes=a.positive_yes + b.positive_yes,
        negative=a.negative + b.negative,
        negative_yes=a.negative_yes + b.negative_yes,
    )
