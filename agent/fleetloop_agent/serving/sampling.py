"""Which served rows leave the device as samples, and holds them until they are collected."""

import math

from fleetloop_agent.ports import Rows
from fleetloop_agent.serving.harvest import Buffer
from fleetloop_agent.serving.records import Answer
from fleetloop_shared.ids import bucket
from fleetloop_shared.reports import Sample

SAMPLES_HELD = 10_000

_BUCKETS = 10_000


class Sampling:
    """Keeps a share of the rows; which ones depends on the ids of their answers.

    Attributes:
        active: Whether any row is kept; at first none is.
        held: What was kept.
    """

    def __init__(self) -> None:
        """Keep nothing."""
        self.active = False
        self.held: Buffer[Sample] = Buffer(SAMPLES_HELD)
        self._buckets = 0

    def set_share(self, share: float) -> None:
        """Keep this share of the served rows, 0 to 1."""
        self._buckets = round(_BUCKETS * min(max(share, 0.0), 1.0))
        self.active = self._buckets > 0

    def offer(self, rows: Rows, answers: list[Answer], now: float) -> None:
        """Keep those of these rows whose turn it is.

        Args:
            rows: Their values.
            answers: What was answered to each.
            now: Unix seconds.
        """
        for row, answer in zip(rows, answers, strict=True):
            if bucket(answer.prediction_id, "sample") < self._buckets:
                self.held.put(
                    Sample(
                        prediction_id=answer.prediction_id,
                        at=now,
                        values=[x if math.isfinite(x) else None for x in row.tolist()],
                        score=answer.score,
                        label=answer.label,
                        version=answer.version,
                    )
                )
