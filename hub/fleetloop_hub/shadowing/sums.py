"""Adds up what devices have counted of a challenger: by hardware type, and all together."""

from collections.abc import Mapping
from operator import add

from msgspec.structs import replace

from fleetloop_hub.shadow_records import ShadowRun
from fleetloop_hub.telemetry_records import StoredReport
from fleetloop_shared.shadow_report import Labelled, ShadowCounts, ShadowReport

KIND = "shadow"
"""The reports' kind in telemetry."""


class Sums:
    """What was told of one shadow; a report that comes again is counted once.

    Attributes:
        by_hardware: By the hardware type of who told it.
        devices: Who has told something.
        unlike: Reports whose classes are not those of the others; they are not counted.
        since: When the last one was taken in, Unix seconds.
    """

    def __init__(self, run: ShadowRun) -> None:
        """Nothing was told yet.

        Args:
            run: Which shadow.
        """
        self._run = run
        self._seen: set[tuple[str, int, int]] = set()
        self.by_hardware: dict[str, ShadowCounts] = {}
        self.devices: set[str] = set()
        self.unlike = 0
        self.since = run.started_at

    def take(self, stored: list[StoredReport], hardware: Mapping[str, str]) -> None:
        """Count reports.

        Args:
            stored: Reports of this kind, also of other shadows.
            hardware: The types of the cohort's devices, by name; others are not of it.
        """
        for one in stored:
            report, self.since = one.report, max(self.since, one.stored_at)
            if not isinstance(report, ShadowReport) or report.device not in hardware:
                continue
            name = report.device, report.boot, report.seq
            if name in self._seen or not self._is_of_run(report.counts):
                continue
            self._seen.add(name)
            kind = hardware[report.device]
            before = self.by_hardware.get(kind)
            if before is not None and _shape(before) != _shape(report.counts):
                self.unlike += 1
                continue
            self.devices.add(report.device)
            self.by_hardware[kind] = _added(before, report.counts)

    @property
    def total(self) -> ShadowCounts | None:
        """All of it, None before the first."""
        total: ShadowCounts | None = None
        for counts in self.by_hardware.values():
            if total is None or _shape(total) == _shape(counts):
                total = _added(total, counts)
        return total

    def _is_of_run(self, counts: ShadowCounts) -> bool:
        run = self._run
        told = counts.model, counts.champion, counts.challenger
        return told == (run.model, run.champion, run.version)


def _shape(counts: ShadowCounts) -> tuple[object, ...]:
    return len(counts.answers), len(counts.answers[0]) if counts.answers else 0, counts.artifact


def _added(a: ShadowCounts | None, b: ShadowCounts) -> ShadowCounts:
    if a is None:
        return b
    names = ("both", "only_champion", "only_challenger", "neither")
    lists = ("differences", "champion_scores", "challenger_scores", "latency_counts")
    numbers = ("rows", "agreed", "answered", "answered_labels", "answered_right", "fell_back")
    skipped = {
        why: a.skipped.get(why, 0) + b.skipped.get(why, 0) for why in {*a.skipped, *b.skipped}
    }
    return replace(
        b,
        answers=[list(map(add, one, two)) for one, two in zip(a.answers, b.answers, strict=True)],
        labelled=Labelled(**{n: getattr(a.labelled, n) + getattr(b.labelled, n) for n in names}),
        skipped=dict(sorted(skipped.items())),
        **{n: list(map(add, getattr(a, n), getattr(b, n))) for n in lists},
        **{n: getattr(a, n) + getattr(b, n) for n in numbers},
    )
