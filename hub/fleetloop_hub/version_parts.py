"""Parts of a version's record: verdicts, what gates looked at, and what people have said to it."""

from enum import StrEnum

import msgspec

from fleetloop_hub.delay_parts import Delays


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """One gate's verdict.

    Attributes:
        name: The gate.
        passed: Whether it lets the version through by itself.
        value: What was measured, None where nothing could be.
        limit: What it had to reach, None where the spec demands nothing.
        low: Lower end of the 95 % interval of `value`, where there is one.
        high: Upper end of it.
        text: The verdict in words, with what to do if it failed.
        judged: Whether the spec demands anything; a value that is only shown has passed.
        waived: Whether a person lets this version through although it failed.
    """

    name: str
    passed: bool
    value: float | None
    limit: float | None
    text: str
    low: float | None = None
    high: float | None = None
    judged: bool = True
    waived: bool = False

    @property
    def blocks(self) -> bool:
        """Whether the version cannot be released because of it."""
        return not self.passed and not self.waived


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """The quantized artifact against the float model, on real held-out rows.

    Attributes:
        rows: How many rows were compared.
        label_flips: Rows on which they answer differently.
        largest_gap: Largest difference of the score.
        float_bytes: Size of the float32 ONNX file.
        artifact_bytes: Size of the quantized one.
        float_ms: Median time of one row, float.
        artifact_ms: The same, quantized.
    """

    rows: int
    label_flips: int
    largest_gap: float
    float_bytes: int
    artifact_bytes: int
    float_ms: float
    artifact_ms: float


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """A share of some rows.

    Attributes:
        value: The share, None where there is no such row.
        rows: Of how many rows.
        low: Lower end of its 95 % interval (Wilson, 1927).
        high: Upper end of it.
    """

    value: float | None
    rows: int
    low: float
    high: float


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """How one group of people is answered.

    Attributes:
        column: The sensitive column.
        group: Its value; "" where it is missing.
        rows: Held-out rows of the group whose truth is known.
        judged: Whether they are enough to be compared.
        selection: Share that is answered yes.
        true_positive: Share of the positive rows that is answered yes.
        false_positive: Share of the negative rows that is answered yes.
    """

    column: str
    group: str
    rows: int
    judged: bool
    selection: Rate
    true_positive: Rate
    false_positive: Rate


class GroupGap(msgspec.Struct, frozen=True, kw_only=True):
    """How far the judged groups of a column are apart.

    Attributes:
        column: The sensitive column.
        measure: "selection gap", "selection ratio", "true positive gap" or "false positive gap".
        value: Largest less smallest rate, or smallest by largest; None where nothing can be said.
        low: Lower end of the 95 % interval of `value`.
        high: Upper end of it.
        lowest: The group with the smallest rate.
        highest: The group with the largest one.
        limit: What the spec allows, None where it says nothing.
    """

    column: str
    measure: str
    value: float | None
    low: float | None
    high: float | None
    lowest: str
    highest: str
    limit: float | None


class GroupThreshold(msgspec.Struct, frozen=True, kw_only=True):
    """A decision threshold that a group has for itself.

    Attributes:
        column: The sensitive feature.
        value: The group.
        threshold: The score, before the shift, from which its rows are answered yes.
    """

    column: str
    value: str
    threshold: float


class SliceRow(msgspec.Struct, frozen=True, kw_only=True):
    """The metric on some of the held-out rows.

    Attributes:
        column: The column that parts them.
        name: Which part.
        rows: How many, with a known truth.
        judged: Whether they are enough to be judged.
        value: The metric, None where it is not defined on these rows.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
    """

    column: str
    name: str
    rows: int
    judged: bool
    value: float | None
    low: float | None
    high: float | None


class CalibrationBin(msgspec.Struct, frozen=True, kw_only=True):
    """Rows with about the same score.

    Attributes:
        rows: How many.
        score: Their mean score.
        share: How many of them are as the score says.
    """

    rows: int
    score: float
    share: float


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What the artifact costs in a process of its own.

    Attributes:
        load_ms: Median time from bytes to a session that answers.
        memory_bytes: Resident memory that loading and running it adds at most to a process in which
            a trivial model runs; None where the system does not tell.
    """

    load_ms: float
    memory_bytes: int | None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the gates looked at, for the model card.

    Attributes:
        slices: The metric by slice.
        groups: Rates by sensitive group.
        gaps: How far groups are apart.
        thresholds: Decision thresholds of groups, where they have some of their own.
        bins: Scores against truth.
        cost: Of loading and running, None where it was not measured.
        notes: What could not be looked at, and why.
        delays: How soon devices will see a change, None for versions from before it was computed.
    """

    slices: list[SliceRow] = []
    groups: list[GroupRow] = []
    gaps: list[GroupGap] = []
    thresholds: list[GroupThreshold] = []
    bins: list[CalibrationBin] = []
    cost: Cost | None = None
    notes: list[str] = []
    delays: Delays | None = None


class Saying(StrEnum):
    """What a person can say to a version."""

    APPROVE = "approve"
    WAIVE = "waive"
    REJECT = "reject"


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """What a person has said to a version.

    Attributes:
        saying: Approved, a gate waived, or rejected.
        by: The person's name.
        reason: Why, in words.
        at: Unix seconds.
        gate: The gate that is waived, "" otherwise.
        audit: The hash of the audit log's entry about it.
    """

    saying: Saying
    by: str
    reason: str
    at: float
    gate: str = ""
    audit: str = ""
