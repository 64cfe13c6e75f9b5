"""Parts of a dataset version's record: its sources, the checks that rows failed, and drift."""

import msgspec


class SourceMark(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one source, and where to go on.

    Attributes:
        words: The source, as reports name it: "winters.csv", "logs/monday.jsonl", a query.
        sha256: Of the bytes that were read (of a query: of its rows).
        bytes: How many they were.
        rows: Rows in them, the quarantined ones too.
        lines: Lines in them, where there are lines.
        since: What `:since` stands for when a query is asked again.
        late: Whether it holds late labels.
    """

    words: str
    sha256: str
    bytes: int
    rows: int
    lines: int = 0
    since: str | None = None
    late: bool = False


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A check that rows have failed.

    Attributes:
        reason: The check, in words.
        rows: How many rows failed it.
        examples: The first of them: where they stand, and their text.
    """

    reason: str
    rows: int
    examples: list[str]


class DeviceShare(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a version's rows one device has sent.

    Attributes:
        device: Its id.
        rows: Rows of it that are in the version, before it is said how far back that reaches.
        left_out: Labelled rows of it that were not taken in.
        reason: Why they were not; "" if all were.
    """

    device: str
    rows: int
    left_out: int
    reason: str


ACT_PSI = 0.25
"""Conventional: a column whose population stability index is this large has changed."""


class ShareShift(msgspec.Struct, frozen=True, kw_only=True):
    """How often a category or class stands in a column, of the rows in which it is not missing.

    Attributes:
        name: Its text.
        before: Share of the earlier rows, 0 to 1.
        now: The same of the new rows.
    """

    name: str
    before: float
    now: float


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """How a column of new rows differs from the rows that were there before.

    Attributes:
        column: The feature, or the label.
        unit: Of `before`, `now` and `shift`.
        before: Mean of the earlier rows.
        now: Mean of the new rows.
        shift: The difference.
        shift_sd: The same in standard deviations of the earlier rows.
        psi: Population stability index; by convention 0.1 is "look" and 0.25 is "act".
        triangular: Triangular discrimination, 0 to 2.
        anderson_darling: Binned Anderson-Darling statistic; about 1 where nothing has changed.
        missing_before: Share of the earlier rows in which it is missing.
        missing_now: The same of the new rows.
        shares: Of categories and classes, the most changed ones first; their numbers are only
            places in a list, so that means and differences of them say nothing.
    """

    column: str
    unit: str
    before: float
    now: float
    shift: float
    shift_sd: float
    psi: float
    triangular: float
    anderson_darling: float
    missing_before: float
    missing_now: float
    shares: list[ShareShift] = []
