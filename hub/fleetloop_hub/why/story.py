"""The story of a version or of a decision, as one document: what people read, and programs too."""

from typing import Literal

import msgspec

from fleetloop_hub.decision_records import Decision, Note
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.records import Run
from fleetloop_hub.version_parts import Approval, GateResult

SCHEMA = 1
"""Raised when a field changes its meaning or goes; new fields do not raise it."""


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A number of the evidence.

    Attributes:
        name: What was measured, in words.
        value: How much.
        unit: What it is measured in: "rows", "devices", "labels", "s", "x its threshold", "share";
            "" for a plain number.
    """

    name: str
    value: float
    unit: str


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """The version that came of it.

    Attributes:
        number: Its number.
        state: What may be done with it.
        aliases: What it is called beside its number.
        created_at: Unix seconds.
        metric: What its run was judged by.
        value: The metric on the held-out rows, None where it is not known.
        low: Lower end of its 95 % interval.
        high: Upper end of it.
        gates: Every gate's verdict.
        approvals: What people have said to it, oldest first.
    """

    number: int
    state: str
    aliases: list[str]
    created_at: float
    metric: str
    value: float | None
    low: float | None
    high: float | None
    gates: list[GateResult]
    approvals: list[Approval]


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What came before or after.

    Attributes:
        version: A version's number, None for a decision of which no version came.
        decision: The key of the decision, "" if none is kept.
        at: Unix seconds.
        text: What it was, in one sentence.
    """

    version: int | None
    decision: str
    at: float
    text: str


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """Why something exists or does not.

    Attributes:
        schema: The version of this form.
        model: The model.
        version: The version's number, None for a decision of which none came.
        kind: How it came about: "trained", "imported", "nothing" for a decision of which no
            version came, "lost" for a version whose decision is not kept.
        title: What it is about.
        short: The story in sentences, to be read in 20 seconds.
        decision: The whole decision record, None if it is not kept.
        figures: The decision's evidence with units.
        run: The run with its candidates, None if there was none.
        rows: Rows that it could learn from, 0 where nobody knows any more.
        made: The version, None if none came.
        rollouts: Its ways to devices, oldest first, with their judgements.
        happened: Everything in order of time.
        before: The champion it was compared with, None for the first.
        after: What was decided about it while it was the champion, oldest first.
        pictures: Paths of the drawings below the API's root, by name.
        next: What to type next, "" if there is nothing to do.
    """

    schema: int = SCHEMA
    model: str
    version: int | None
    kind: Literal["trained", "imported", "nothing", "lost"]
    title: str
    short: list[str]
    decision: Decision | None
    figures: list[Figure]
    run: Run | None
    rows: int
    made: Made | None
    rollouts: list[Rollout]
    happened: list[Note]
    before: Link | None
    after: list[Link]
    pictures: dict[str, str]
    next: str
