"""One device of a month: when it says what, as real messages."""

from dataclasses import dataclass

import numpy as np

from fleetloop_firmware_sim.month.windows import Weather
from fleetloop_shared.codec import encode
from fleetloop_shared.latency import BINS, bin_of, quantile_us
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.messages import DeviceState, ReportedState
from fleetloop_shared.reports import (
    DriftReport,
    EventKind,
    EventReport,
    HealthReport,
    Label,
    LabelReport,
    ProfileReport,
    Report,
    Sample,
    SampleReport,
)
from fleetloop_shared.system import ClockOffset, SystemHealth

HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S
_AGENT = "0.1.0"
_SAMPLES = 4
_LABELLED_SHARE = 0.8
_REFUSED_SHARE = 0.02
_MEMORY_BYTES = 4_000_000_000


@dataclass(frozen=True)
class Pace:
    """How often a device says what, in seconds.

    Attributes:
        health_s: Between two health reports.
        window_s: Between the ends of two reporting windows: a verdict and a profile each.
        samples_s: Between two reports of samples, and of labels of the samples before.
    """

    health_s: float = 3 * HOUR_S
    window_s: float = 12 * HOUR_S
    samples_s: float = DAY_S


@dataclass(frozen=True)
class Spell:
    """A version that a device serves from some moment on.

    Attributes:
        since: Unix seconds.
        manifest: Of the version.
    """

    since: float
    manifest: Manifest


class MonthDevice:
    """Says what is due between two moments; reports are numbered as an outbox numbers them."""

    def __init__(  # noqa: PLR0913  # what a device is, said once
        self,
        name: str,
        hardware: str,
        spells: list[Spell],
        weather: list[Weather],
        seed: int,
        *,
        boot: int = 1,
    ) -> None:
        """It has said nothing yet.

        Args:
            name: Its id.
            hardware: Its type.
            spells: What it serves, oldest first.
            weather: What it meets, one for each spell.
            seed: Of what is drawn.
            boot: How often its agent has started.
        """
        self._boot = boot
        self.name, self.hardware = name, hardware
        self._spells, self._weather = spells, weather
        self._random = np.random.default_rng(seed)
        self._phase = float(self._random.random())
        self._seq = self._sampled = self._row = 0
        self._spell = -1
        self._waiting: list[Label] = []
        self._rss_bytes = int(60e6 + 20e6 * self._random.random())

    def says(self, start: float, end: float, pace: Pace) -> list[tuple[str, Report]]:
        """Its reports from `start` up to `end`, Unix seconds: the last part of the topic, message.

        Args:
            start: The moment from which on.
            end: The moment before which.
            pace: How often it says what.
        """
        said: list[tuple[str, Report]] = []
        while self._spell + 1 < len(self._spells) and self._spells[self._spell + 1].since < end:
            self._spell, self._row = self._spell + 1, 0
            said += self._moves(max(start, self._spells[self._spell].since))
        if self._spell < 0:
            return said
        if (at := self._due(start, end, pace.health_s)) is not None:
            said.append(("health", self._health(at, pace)))
        if (at := self._due(start, end, pace.window_s)) is not None:
            said += self._window(at)
        if (at := self._due(start, end, pace.samples_s)) is not None:
            said += self._rows(at)
        return said

    def retained(self, at: float, *, online: bool) -> tuple[bytes, bytes]:
        """What the broker keeps of it: its birth or will, and its reported state."""
        manifest = self._spells[self._spell].manifest
        birth = DeviceState(
            online=online,
            boot=self._boot,
            conn=1 if online else 0,
            agent=_AGENT,
            hardware=self.hardware,
            artifact=manifest.sha256,
            labels={"site": self.name.rpartition("-")[0]},
        )
        state = ReportedState(
            at=at,
            boot=self._boot,
            sequence=1,
            state="serving",
            model=manifest.model,
            version=manifest.version,
            artifact=manifest.sha256,
            free_bytes=10**10,
            slots=[manifest.sha256],
        )
        return encode(birth), encode(state)

    def _due(self, start: float, end: float, every_s: float) -> float | None:
        """The moment in between at which something is due that comes at most once there."""
        at = (start // every_s + self._phase) * every_s
        at = at if at >= start else at + every_s
        return at if at < end else None

    def _named(self, at: float) -> dict[str, str | int | float]:
        self._seq += 1
        return {"device": self.name, "boot": self._boot, "seq": self._seq, "at": at}

    def _moves(self, at: float) -> list[tuple[str, Report]]:
        manifest = self._spells[self._spell].manifest
        told = {
            EventKind.FETCHED: f"has fetched {manifest.model} v{manifest.version}",
            EventKind.TRIAL: f"tries {manifest.model} v{manifest.version} on live rows",
            EventKind.COMMITTED: f"keeps {manifest.model} v{manifest.version}",
        }
        if self._spell == 0:
            told = {EventKind.STARTED: f"agent {_AGENT} has started on {self.hardware}", **told}
        return [
            (
                "events",
                EventReport(
                    **self._named(at),  # type: ignore[arg-type]  # a name, numbers and a time
                    kind=kind,
                    text=text,
                    version=manifest.version,
                    artifact=manifest.sha256,
                ),
            )
            for kind, text in told.items()
        ]

    def _health(self, at: float, pace: Pace) -> HealthReport:
        manifest = self._spells[self._spell].manifest
        rows = round(manifest.thresholds.window_rows * pace.health_s / pace.window_s)
        counts = [0] * BINS
        for us in self._random.lognormal(3.4, 0.3, 8):
            counts[bin_of(int(us * 1_000))] += rows // 8
        yes = int(self._random.binomial(rows, 0.2))
        return HealthReport(
            **self._named(at),  # type: ignore[arg-type]  # a name, numbers and a time
            model=manifest.model,
            version=manifest.version,
            uptime_s=at - self._spells[0].since,
            rows=rows,
            errors=0,
            refused=int(self._random.random() < _REFUSED_SHARE),
            latency_counts=counts,
            latency_p50_ms=_ms(quantile_us(counts, 0.5)),
            latency_p99_ms=_ms(quantile_us(counts, 0.99)),
            rss_bytes=self._rss_bytes,
            outbox=int(self._random.integers(0, 3)),
            outbox_bytes=900,
            unkept=0,
            labels=0,
            labels_correct=0,
            system=SystemHealth(
                agent_cpu_ratio=round(float(self._random.random()) / 50, 4),
                machine_cpu_ratio=round(float(self._random.random()) / 4, 4),
                memory_available_bytes=_MEMORY_BYTES // 2,
                memory_total_bytes=_MEMORY_BYTES,
                disk_free_bytes=10**10,
                disk_total_bytes=3 * 10**10,
                temperature_c=round(45 + 10 * float(self._random.random()), 1),
                machine_uptime_s=at - self._spells[0].since + 60,
            ),
            clock=ClockOffset(
                offset_s=round(float(self._random.normal(0, 0.01)), 4), uncertain_s=0.02
            ),
            answer_counts=[rows - yes, yes],
        )

    def _window(self, at: float) -> list[tuple[str, Report]]:
        manifest = self._spells[self._spell].manifest
        windows = self._weather[self._spell].windows
        said: list[tuple[str, Report]] = []
        first_row = self._row + 1
        for told in windows[int(self._random.integers(len(windows)))]:
            verdict = told.verdict
            drift = DriftReport(
                **self._named(at),  # type: ignore[arg-type]  # a name, numbers and a time
                model=manifest.model,
                version=manifest.version,
                artifact=manifest.sha256,
                first_row=first_row,
                rows=verdict.rows,
                closed=told.closed,
                alarm=told.alarm,
                since_row=None if told.since_row is None else first_row,
                ratio=verdict.ratio,
                features=verdict.features,
                correlations=verdict.correlations,
                score_ratio=verdict.score_ratio,
            )
            said.append(("drift", drift))
            if told.profile is not None:
                self._row += told.profile.rows
                profile = ProfileReport(
                    **self._named(at),  # type: ignore[arg-type]  # a name, numbers and a time
                    model=manifest.model,
                    version=manifest.version,
                    first_row=first_row,
                    profile=told.profile,
                )
                said.append(("profile", profile))
        return said

    def _rows(self, at: float) -> list[tuple[str, Report]]:
        """Samples, and the truth about those before."""
        manifest, weather = self._spells[self._spell].manifest, self._weather[self._spell]
        said: list[tuple[str, Report]] = []
        if self._waiting:
            labels = LabelReport(
                **self._named(at),  # type: ignore[arg-type]  # a name, numbers and a time
                labels=self._waiting,
            )
            said.append(("labels", labels))
            self._waiting = []
        samples = []
        for k in self._random.integers(0, len(weather.rows), _SAMPLES).tolist():
            self._sampled += 1
            name = f"{self.name}-{self._boot}-{self._sampled}"
            values = [None if np.isnan(x) else float(x) for x in weather.rows[k].tolist()]
            samples.append(
                Sample(
                    prediction_id=name,
                    at=at - 60,
                    values=values,
                    score=float(weather.scores[k]),
                    label=int(weather.answers[k]),
                    version=manifest.version,
                    probability=0.01,
                )
            )
            if self._random.random() < _LABELLED_SHARE:
                self._waiting.append(
                    Label(prediction_id=name, label=weather.truths[k], at=at + HOUR_S)
                )
        rows = SampleReport(
            **self._named(at),  # type: ignore[arg-type]  # a name, numbers and a time
            model=manifest.model,
            samples=samples,
        )
        return [*said, ("samples", rows)]


def _ms(us: float | None) -> float | None:
    return None if us is None else us / 1_000
