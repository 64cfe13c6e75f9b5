"""Adds up what serving has handed over since the agent started, for whoever scrapes this device.

A program that asks now and then wants counters that only grow; reports to the hub count anew after
each. What is kept is replaced and never changed, so that another thread may read it meanwhile.
"""

from dataclasses import dataclass, replace
from operator import add

from fleetloop_agent.serving.harvest import added
from fleetloop_agent.serving.records import Collected, Counters
from fleetloop_shared.drift.verdict import Verdict
from fleetloop_shared.latency import BINS
from fleetloop_shared.manifest import Manifest

MOST_VERSIONS = 8
"""Versions whose counts are kept; the one that has served least lately makes room."""

_NOTHING = (0,) * BINS


@dataclass(frozen=True)
class Total:
    """What one version has done on this device since the agent started.

    Attributes:
        rows: Rows answered.
        errors: Rows the model failed on.
        refused: Rows and labels refused for their form or value.
        abstained: Those of them that a value out of range was refused in.
        labels: Labels for its answers.
        labels_correct: Those that said that the answer was right; None for a regression.
        dropped: Blocks, samples and labels that were given up.
        latency_counts: How long calls took, in the bins of `fleetloop_shared.latency`.
        windows: Reporting windows that were judged.
        alarms: Those of them that were alarms.
    """

    rows: int = 0
    errors: int = 0
    refused: int = 0
    abstained: int = 0
    labels: int = 0
    labels_correct: int | None = 0
    dropped: int = 0
    latency_counts: tuple[int, ...] = _NOTHING
    windows: int = 0
    alarms: int = 0


class Totals:
    """Totals by model and version. Written by one thread, read by any."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._by: dict[tuple[str, int], Total] = {}
        self.last: tuple[Manifest, Verdict] | None = None
        """The last reporting window that is over, and whose it was."""

    def note(self, collected: Collected, manifest: Manifest | None) -> None:
        """Take what has come together.

        Args:
            collected: What serving has handed over.
            manifest: Of the model that serves now.
        """
        if manifest is not None:
            self._put(manifest, _sum(self._of(manifest), collected.counters))
        for window in collected.windows:
            if window.judged.closed:
                self.last = window.manifest, window.judged.verdict
                self._judge(window.manifest, alarm=window.judged.alarm)

    def by_version(self) -> dict[tuple[str, int], Total]:
        """The totals as they are now."""
        return dict(self._by)

    def _of(self, manifest: Manifest) -> Total:
        return self._by.get((manifest.model, manifest.version), Total())

    def _put(self, manifest: Manifest, total: Total) -> None:
        by = {**self._by}
        by.pop((manifest.model, manifest.version), None)  # so that it is the newest
        by[manifest.model, manifest.version] = total
        if len(by) > MOST_VERSIONS:
            del by[next(iter(by))]
        self._by = by

    def _judge(self, manifest: Manifest, *, alarm: bool) -> None:
        key, old = (manifest.model, manifest.version), self._of(manifest)
        if key in self._by:
            total = replace(old, windows=old.windows + 1, alarms=old.alarms + alarm)
            self._by = {**self._by, key: total}


def _sum(old: Total, new: Counters) -> Total:
    return Total(
        rows=old.rows + new.rows,
        errors=old.errors + new.errors,
        refused=old.refused + new.refused,
        abstained=old.abstained + new.abstained,
        labels=old.labels + new.labels,
        labels_correct=added(old.labels_correct, new.labels_correct),
        dropped=old.dropped + new.dropped,
        latency_counts=tuple(map(add, old.latency_counts, new.latency_counts)),
        windows=old.windows,
        alarms=old.alarms,
    )
