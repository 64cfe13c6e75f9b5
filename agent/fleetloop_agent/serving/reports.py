"""Turns what serving has seen into the reports that wait for the hub."""

from collections.abc import Callable
from dataclasses import dataclass
from operator import add

from fleetloop_agent.ports import Clock, Host
from fleetloop_agent.serving.episodes import Episodes
from fleetloop_agent.serving.harvest import added
from fleetloop_agent.serving.recent_scores import RecentScores
from fleetloop_agent.serving.records import Collected, Counters, Window
from fleetloop_agent.serving.totals import Totals
from fleetloop_agent.status import Status
from fleetloop_shared.groups import added as added_groups
from fleetloop_shared.latency import quantile_us
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.profile import LiveProfile
from fleetloop_shared.reports import (
    DriftReport,
    HealthReport,
    Label,
    LabelReport,
    ProfileReport,
    Report,
    Sample,
    SampleReport,
)
from fleetloop_shared.system import ClockOffset
from fleetloop_shared.topics import Topic

Draft = tuple[Topic, Callable[[int, int], Report]]
"""A report that has no number yet: the outbox gives it one."""

MOST_ROWS = 200
"""Samples or labels in one report; it stays far below what a broker takes."""


@dataclass(frozen=True)
class Backlog:
    """What waits on the device.

    Attributes:
        outbox: Reports that the hub does not have.
        outbox_bytes: Their payload.
        unkept: Reports that wait in memory for room on the disk.
        inputs: Messages of sensors that wait for their answers, None where none are taken.
    """

    outbox: int
    outbox_bytes: int
    unkept: int
    inputs: int | None = None

    @classmethod
    def of(cls, status: Status) -> "Backlog":
        """What waits by a device's status."""
        return cls(
            outbox=status.unacknowledged,
            outbox_bytes=status.outbox_bytes,
            unkept=status.unkept,
            inputs=status.sensors.waiting if status.sensors is not None else None,
        )


class Reports:
    """Writes the reports of one device, and adds up its health between two of them.

    Attributes:
        system: How the machine was at the last health report; at first, when this was made.
        clock_offset: How far its clock was from the hub's at the last health report.
        episodes: Of drift.
        totals: What serving has done since the agent started.
    """

    def __init__(self, device: str, clock: Clock, host: Host) -> None:
        """Nothing was seen yet.

        Args:
            device: Its name.
            clock: When it is, and how long it has been up.
            host: Its memory.
        """
        self._device = device
        self._clock = clock
        self._host = host
        self._started_at = clock.monotonic()
        self._model = ""
        self._version: int | None = None
        self._sum = Counters()
        self._scores = RecentScores()
        self.episodes = Episodes()
        self.totals = Totals()
        self.system = host.system()
        self.clock_offset: ClockOffset | None = None

    def of(self, collected: Collected, manifest: Manifest | None) -> list[Draft]:
        """The reports on what has come together.

        Args:
            collected: What serving has handed over.
            manifest: Of the model that serves now.
        """
        self._model = manifest.model if manifest is not None else self._model
        self.totals.note(collected, manifest)
        self._add(collected.counters, manifest.version if manifest is not None else None)
        self.episodes.note(collected.windows, self._clock.now())
        drafts: list[Draft] = []
        for window in collected.windows:
            drafts.append((Topic.DRIFT, self._drift(window)))
            if window.judged.profile is not None:
                drafts.append((Topic.PROFILE, self._profile(window, window.judged.profile)))
        samples, labels = collected.samples, collected.labels
        drafts += [
            (Topic.SAMPLES, self._samples(samples[at : at + MOST_ROWS], collected.withheld))
            for at in range(0, len(samples), MOST_ROWS)
        ]
        drafts += [
            (Topic.LABELS, self._labels(labels[at : at + MOST_ROWS]))
            for at in range(0, len(labels), MOST_ROWS)
        ]
        return drafts

    def health(
        self, manifest: Manifest | None, backlog: Backlog, clock: ClockOffset | None
    ) -> Draft:
        """How serving went since the last such report.

        Args:
            manifest: Of the model that serves now.
            backlog: What waits.
            clock: How far this device's clock is from the hub's.
        """
        seen, self._sum = self._sum, Counters()
        at, uptime_s = self._clock.now(), self._clock.monotonic() - self._started_at
        rss_bytes, system = self._host.rss_bytes(), self._host.system()
        self.system, self.clock_offset = system, clock

        def build(boot: int, seq: int) -> HealthReport:
            return HealthReport(
                device=self._device,
                boot=boot,
                seq=seq,
                at=at,
                model=manifest.model if manifest is not None else None,
                version=manifest.version if manifest is not None else None,
                uptime_s=uptime_s,
                rows=seen.rows,
                errors=seen.errors,
                refused=seen.refused,
                latency_counts=list(seen.latency_counts),
                latency_p50_ms=_quantile_ms(seen, 0.5),
                latency_p99_ms=_quantile_ms(seen, 0.99),
                rss_bytes=rss_bytes,
                outbox=backlog.outbox,
                outbox_bytes=backlog.outbox_bytes,
                unkept=backlog.unkept,
                inputs=backlog.inputs,
                labels=seen.labels,
                labels_correct=seen.labels_correct,
                system=system,
                clock=clock,
                evidence=seen.evidence,
                groups=seen.groups,
                dropped=seen.dropped,
                abstained=seen.abstained,
                answer_counts=list(seen.answer_counts),
            )

        return Topic.HEALTH, build

    def _add(self, new: Counters, version: int | None) -> None:
        """Add counts; labels of another version than the one that serves now are not its own."""
        old, same = self._sum, version == self._version
        self._version = version
        self._sum = Counters(
            rows=old.rows + new.rows,
            errors=old.errors + new.errors,
            refused=old.refused + new.refused,
            latency_counts=tuple(map(add, old.latency_counts, new.latency_counts)),
            labels=new.labels + (old.labels if same else 0),
            labels_correct=added(new.labels_correct, old.labels_correct if same else 0),
            dropped=old.dropped + new.dropped,
            evidence=new.evidence,
            groups=added_groups(old.groups if same else [], new.groups),
            abstained=old.abstained + new.abstained,
            answer_counts=_sum(old.answer_counts if same else (), new.answer_counts),
        )

    def _drift(self, window: Window) -> Callable[[int, int], Report]:
        at, judged, manifest = self._clock.now(), window.judged, window.manifest
        verdict = judged.verdict
        profile = judged.profile
        estimate = None
        if profile is not None:
            estimate = self._scores.estimate(manifest, profile.score_counts)

        def build(boot: int, seq: int) -> DriftReport:
            return DriftReport(
                device=self._device,
                boot=boot,
                seq=seq,
                at=at,
                model=manifest.model,
                version=manifest.version,
                artifact=manifest.sha256,
                first_row=judged.first_row,
                rows=verdict.rows,
                closed=judged.closed,
                alarm=judged.alarm,
                since_row=judged.since_row,
                ratio=verdict.ratio,
                features=verdict.features,
                correlations=verdict.correlations,
                score_ratio=verdict.score_ratio,
                estimate=estimate,
            )

        return build

    def _profile(self, window: Window, profile: LiveProfile) -> Callable[[int, int], Report]:
        at, manifest = self._clock.now(), window.manifest

        def build(boot: int, seq: int) -> ProfileReport:
            return ProfileReport(
                device=self._device,
                boot=boot,
                seq=seq,
                at=at,
                model=manifest.model,
                version=manifest.version,
                first_row=window.judged.first_row,
                profile=profile,
            )

        return build

    def _samples(self, samples: list[Sample], withheld: list[str]) -> Callable[[int, int], Report]:
        at, model = self._clock.now(), self._model

        def build(boot: int, seq: int) -> SampleReport:
            return SampleReport(
                device=self._device,
                boot=boot,
                seq=seq,
                at=at,
                model=model,
                samples=samples,
                withheld=withheld,
            )

        return build

    def _labels(self, labels: list[Label]) -> Callable[[int, int], Report]:
        at = self._clock.now()

        def build(boot: int, seq: int) -> LabelReport:
            return LabelReport(device=self._device, boot=boot, seq=seq, at=at, labels=labels)

        return build


def _sum(counts: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    """Counts added up; one of them may be of nothing yet."""
    return tuple(map(add, counts, more)) if counts and more else counts or more


def _quantile_ms(seen: Counters, share: float) -> float | None:
    us = quantile_us(seen.latency_counts, share)
    return us / 1_000 if us is not None else None
