"""Why something was or was not done, and what followed, as it is kept for good."""

import msgspec

from fleetloop_hub.records import Record, Verdict


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """Something else that could have been done.

    Attributes:
        verdict: What it would have been.
        text: Why it was not done, in one sentence.
    """

    verdict: Verdict
    text: str


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Something that followed from a decision.

    Attributes:
        at: Unix seconds.
        text: What happened, in one sentence.
    """

    at: float
    text: str


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that had moved when something was decided.

    Attributes:
        feature: Its name.
        unit: What it is measured in, "" if it has no unit.
        ratio: Its largest drift statistic / threshold; an alarm from 1.
        text: How it had moved, with its size.
        edges: Inner bin edges, ascending, in the feature's unit.
        reference_rows: Training rows in each bin, one more than there are edges.
        live_rows: Rows served last in each bin.
    """

    feature: str
    unit: str
    ratio: float
    text: str
    edges: list[float]
    reference_rows: list[int]
    live_rows: list[int]


class Decision(Record, frozen=True, kw_only=True):
    """Why something was, or was not, done.

    Attributes:
        model: The model it is about.
        at: Unix seconds.
        verdict: What was decided.
        trigger: What led to it: "person", "drift", "accuracy", "gate", "rollout".
        reasons: In words, the weightiest first.
        evidence: The numbers it rests on.
        devices: The devices it names.
        version: The version that came of it.
        outcome: What became of it, in words.
        champion: The version that was in the field then, None if there was none.
        alternatives: What else was considered, and why it was not done.
        pictures: SHA-256 of SVG drawings of the evidence as it was then, by name.
        moved: The features that had moved furthest, the furthest first.
        followed: What happened then, oldest first.
        asked_by: The person who asked for it; "" if nobody did.
        once: What another decision must agree in to be the same advice over again.
    """

    model: str
    at: float
    verdict: Verdict
    trigger: str
    reasons: list[str]
    evidence: dict[str, float]
    devices: list[str] = msgspec.field(default_factory=list)
    version: int | None = None
    outcome: str = ""
    champion: int | None = None
    alternatives: list[Alternative] = msgspec.field(default_factory=list)
    pictures: dict[str, str] = msgspec.field(default_factory=dict)
    moved: list[Moved] = msgspec.field(default_factory=list)
    followed: list[Note] = msgspec.field(default_factory=list)
    asked_by: str = ""
    once: str = ""
