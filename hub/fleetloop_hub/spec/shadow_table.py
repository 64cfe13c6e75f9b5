"""The table of the spec that says what a version must show beside the champion before a rollout."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fleetloop_hub.spec.scalars import Above, Hours, Positive, Share, Table


class ShadowTable(Table, frozen=True, kw_only=True):
    """How a version runs beside the champion, and what its rollout waits for; by default nothing.

    With `rows`, a new version first runs beside the champion on the devices of the cohort: answers
    stay the champion's, and counts go up. Its first phase opens when what is demanded is proven. An
    agreement or accuracy is proven by an interval that may be looked at any time.

    Attributes:
        rows: Rows that both must have scored before a rollout begins; 0: it waits for nothing.
        agreement: Share of the rows on which both must answer alike, proven. A version that has
            learned something new answers otherwise: leave it at 0 where that is what is wanted.
        labels: "none" demands nothing of labels; "no worse" that its accuracy on labelled rows is
            proven to be no more than `accuracy_points` below the champion's; "better" that it is
            proven to be above.
        accuracy_points: See `labels`; points of a hundred.
        most_hours: Hours after which the rollout waits no longer.
        then: What happens then: "refuse" the version, or "go on" with its rollout all the same.
        confidence: How sure an interval must be, over all looks together.
        rows_share: Share of the served rows that are scored twice.
        answer_share: Share of the keys that the challenger answers in the champion's place, where
            who asks gives a key: an A/B split.
        most_delay_ms: No answer may wait longer for it. What a device measures is one run of it.
        cpu_share: Share of one core that it may use.
        memory_bytes: What an agent may grow by when it is loaded.
        most_difference: Two numbers of a regression agree, and one is right, within so much, in the
            label's unit; 0: within a fiftieth of the range of its scores.
    """

    rows: Annotated[int, Meta(ge=0)] = 0
    agreement: Share = 0.0
    labels: Literal["none", "no worse", "better"] = "none"
    accuracy_points: Annotated[float, Meta(gt=0.0, le=100.0)] = 1.0
    most_hours: Hours = 24.0
    then: Literal["refuse", "go on"] = "refuse"
    confidence: Annotated[float, Meta(ge=0.5, lt=1.0)] = 0.95
    rows_share: Share = 0.2
    answer_share: Share = 0.0
    most_delay_ms: Above = 5.0
    cpu_share: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.1
    memory_bytes: Positive = 64_000_000
    most_difference: Annotated[float, Meta(ge=0.0)] = 0.0


class ShadowTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a person wants otherwise than the spec says, None as it says.

    Attributes:
        rows_share: Share of the rows.
        answer_share: Share of the keys.
    """

    rows_share: Share | None = None
    answer_share: Share | None = None

    def over(self, table: ShadowTable) -> ShadowTable:
        """The table with what is wanted otherwise."""
        wanted = {name: getattr(self, name) for name in self.__struct_fields__}
        return msgspec.structs.replace(table, **{k: v for k, v in wanted.items() if v is not None})
