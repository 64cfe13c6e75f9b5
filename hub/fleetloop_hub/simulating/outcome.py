"""What a simulation has shown, as one document: for a table, a drawing and programs."""

import msgspec

SCHEMA = 1
"""Raised when a field changes its meaning or goes."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows that follow each other; the same for all policies.

    Attributes:
        at: When its last row was served: seconds, as the time column counts them.
        rows: How many.
        value: The metric on them, None where it cannot be measured.
    """

    at: float
    rows: int
    value: float | None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A retraining that a policy has asked for.

    Attributes:
        at: When, seconds.
        row: The first replayed row after it, from 0.
        trigger: What led to it.
        reason: In words.
        taken: Whether its version took over.
        text: What came of it, in words.
    """

    at: float
    row: int
    trigger: str
    reason: str
    taken: bool
    text: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One policy.

    Attributes:
        policy: Its name.
        value: The metric on all replayed rows.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        worst: The metric on the worst span, None where none can be measured.
        worst_at: When that span ended, seconds.
        retrainings: How many were asked for.
        in_vain: How many of them gave no version that passed the gates: false alarms.
        labels_used: Labels of replayed rows that were learned from.
        behind: How far it is behind the best policy on the same rows; 0 for that one.
        behind_low: Lower end of that difference's 95 % interval.
        behind_high: Upper end of it.
        spans: The metric over time.
        asked: Every retraining.
    """

    policy: str
    value: float
    low: float
    high: float
    worst: float | None
    worst_at: float | None
    retrainings: int
    in_vain: int
    labels_used: int
    behind: float
    behind_low: float
    behind_high: float
    spans: list[Span]
    asked: list[Asked]


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """All policies on one history.

    Attributes:
        schema: The version of this form.
        model: The model.
        data: The file's name.
        metric: What policies are compared by: that of the spec's gate.
        first_rows: Rows that version 1 was trained on.
        replayed_rows: Rows that were served then.
        devices: Over how many devices they were dealt.
        look_rows: Rows between two looks at the evidence.
        every_s: Between two retrainings of the schedule, seconds.
        label_delay_s: How long after its row a label was known, seconds.
        seed: Of everything that is drawn.
        results: In the order in which they were asked for.
        best: The policy with the best metric.
        cheapest: Of those that cannot be told apart from it, the one with the fewest retrainings.
        text: What that means, in words.
        notes: What a replay leaves out.
    """

    schema: int = SCHEMA
    model: str
    data: str
    metric: str
    first_rows: int
    replayed_rows: int
    devices: int
    look_rows: int
    every_s: float
    label_delay_s: float
    seed: int
    results: list[Result]
    best: str
    cheapest: str
    text: str
    notes: list[str]
