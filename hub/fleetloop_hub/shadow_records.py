"""What the catalog keeps of challengers beside a champion."""

from enum import StrEnum

from fleetloop_hub.records import Record


class ShadowState(StrEnum):
    """Where a shadow stands; OPEN is the only one that goes on."""

    OPEN = "open"
    PASSED = "passed"
    REFUSED = "refused"
    STOPPED = "stopped"
    SUPERSEDED = "superseded"


class ShadowRun(Record, frozen=True, kw_only=True):
    """One version beside one champion, on the devices of one cohort.

    Attributes:
        model: The model.
        version: The challenger.
        champion: Whom it is compared with.
        cohort: On whose devices.
        rows_share: Share of the rows that it scores.
        answer_share: Share of the keys that it answers.
        gated: Whether its rollout waits for what comes of this.
        state: Where it stands.
        started_at: Unix seconds.
        ended_at: Unix seconds, None while it goes on.
        text: How it stands or why it has ended, in words.
    """

    model: str
    version: int
    champion: int
    cohort: str
    rows_share: float
    answer_share: float
    gated: bool
    state: ShadowState
    started_at: float
    ended_at: float | None = None
    text: str = ""
