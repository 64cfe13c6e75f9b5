"""The table of the spec that says how a version takes over."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleetloop_hub.spec.scalars import Hours, Phase, Positive, Seconds, Share, Table

Devices = Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,5} devices?\Z")]


class RolloutTable(Table, frozen=True, kw_only=True):
    """How a version takes over.

    Attributes:
        phases: Upper ends of the phases, as shares of the devices or as "N devices"; the first is
            the canary, the last is 1.0. Every hardware type with two devices or more is in a
            phase that has room for one of each.
        approval: Whether a person must approve it before the first phase.
        soak_rows: Rows a trial must serve on a device before it is committed.
        soak_s: Seconds after which a trial is committed also without rows.
        success_threshold: Share of decided and lost devices that must be well.
        error_threshold: Share of them at which the rollout is reverted.
        confidence: How sure it must be that the share of failed devices is beyond, or below,
            `error_threshold`, while devices of the phase are still on their way. Once all have
            decided, the share itself counts: in a small fleet nothing can be surer.
        min_devices: Decided and lost devices needed for a judgement.
        phase_soak_s: Seconds that a phase is watched after its devices have committed.
        lost_after_s: A device silent for so long in the middle of an update counts as failed.
        at_once: The most devices of a phase that are on their way at the same time; 0: all.
        on_harm: What happens where a version does harm on some hardware types alone: "revert" all
            that took it, or "exclude" those types and go on with the others.
        start_after_h: Hours after a phase has opened, before which no device begins.
        spread_s: Each device begins at a moment of its own within so many seconds, so that a
            large fleet does not begin together; 0: at once.
        deadline_h: Hours after a phase has opened, after which no device begins and none tries
            what it has fetched; 0: no limit. It must leave room for start and spread. A phase that
            has not passed when the devices on their way have had time to end ends the rollout.
        expires_h: Hours after which a rollout ends wherever it stands.
    """

    phases: Annotated[list[Phase | Devices], Meta(min_length=1, max_length=20)] = msgspec.field(
        default_factory=lambda: [0.25, 1.0]
    )
    approval: bool = False
    soak_rows: Annotated[int, Meta(ge=0)] = 20
    soak_s: Seconds = 60.0
    success_threshold: Share = 0.9
    error_threshold: Share = 0.2
    confidence: Annotated[float, Meta(ge=0.5, lt=1.0)] = 0.9
    min_devices: Positive = 1
    phase_soak_s: Seconds = 0.0
    lost_after_s: Seconds = 120.0
    at_once: Annotated[int, Meta(ge=0)] = 0
    on_harm: Literal["revert", "exclude"] = "revert"
    start_after_h: Hours = 0.0
    spread_s: Seconds = 0.0
    deadline_h: Hours = 0.0
    expires_h: Annotated[float, Meta(gt=0.0, le=8_760.0)] = 336.0

    def __post_init__(self) -> None:
        """Refuse a deadline before which not every device may begin."""
        last_h = self.start_after_h + self.spread_s / 3600
        if self.deadline_h and self.deadline_h <= last_h:
            raise ValueError(
                f"deadline_h = {self.deadline_h:g} is over before every device may begin"
                f" (start_after_h and spread_s come to {last_h:g} hours): write a later one, or 0"
                " for no limit"
            )
