"""Gathers the evidence that a decision rests on from telemetry and catalog."""

from collections import defaultdict
from dataclasses import dataclass

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.digest_records import WindowBrief
from fleetloop_hub.fleet_records import Device, Rollout
from fleetloop_hub.ports import Catalog, Telemetry
from fleetloop_hub.records import Run, RunState, Verdict
from fleetloop_hub.retraining.evidence import DeviceDrift, Evidence, Trigger
from fleetloop_hub.verdict_records import FleetVerdict

_MOST = 100
"""Windows of a device that are read at once, the newest."""

_DAY_S = 86_400.0
_BUSY = {
    RunState.RUNNING: "run {key} is under way",
    RunState.QUEUED: "run {key} is queued until the hub is free",
    RunState.WAITING: "run {key} waits for a person: fleetloop retrain approve {key}",
}


@dataclass
class _Streak:
    """Windows in a row of one device under one version.

    An alarm that is said before its reporting window is over counts as one window of alarm until
    that window's own report comes and takes its place. Of the two, the one that says more is shown.
    """

    last: WindowBrief
    loudest: WindowBrief
    alarms: int = 0
    quiet: int = 0
    open_alarm: bool = False

    def take(self, report: WindowBrief) -> None:
        """The next report, by (boot, seq)."""
        same = self.open_alarm and report.alarm and report.ratio < self.loudest.ratio
        self.last, self.loudest = report, self.loudest if same else report
        self.open_alarm = not report.closed
        if not report.closed:
            return
        self.alarms = self.alarms + 1 if report.alarm else 0
        self.quiet = 0 if report.alarm else self.quiet + 1

    def drift(self, device: str) -> DeviceDrift:
        """What a decision can use."""
        return DeviceDrift(
            device=device,
            alarms=self.alarms + self.open_alarm,
            quiet=0 if self.open_alarm else self.quiet,
            ratio=self.loudest.ratio,
            feature=self.loudest.feature,
        )


class Watch:
    """Keeps up with the windows of all devices; for one thread at a time."""

    def __init__(self, catalog: Catalog, telemetry: Telemetry) -> None:
        """Begin with the newest reports of each device."""
        self._catalog, self._telemetry = catalog, telemetry
        self._after = 0
        self._read: dict[str, tuple[int, int]] = {}
        self._drift: dict[tuple[str, int], list[DeviceDrift]] = {}
        self._streaks: defaultdict[tuple[str, int], dict[str, _Streak]] = defaultdict(dict)
        self._first_alarm_at: dict[tuple[str, int], float] = {}

    def gather(
        self, model: str, champion: int, now: float, verdict: FleetVerdict | None = None
    ) -> Evidence:
        """The evidence about one model's champion, as far as it has come in.

        Labels count from the first alarm on: only those rows show the changed world. A rollout
        keeps the hub busy only where it may be the cure: in a cohort of devices that see drift.

        Args:
            model: The model.
            champion: Its version.
            now: Unix seconds.
            verdict: Who has moved, as far as profiles tell.
        """
        self._keep_up()
        self._forget(model, champion)
        since = self.since(model, champion)
        labels = 0
        if since is not None:
            labels, _ = self._telemetry.labelled_count(model, since=since)
        runs = [r for r in self._catalog.all(Run) if r.model == model]
        ended = [r.started_at + r.duration_s for r in runs if r.state.is_over]
        busy = [_BUSY[r.state].format(key=r.key) for r in runs if r.state in _BUSY]
        drift = self._drift_of(model, champion)
        busy += [f"rollout {key} is under way" for key in self._rollouts_to(drift)]
        return Evidence(
            drift=drift,
            labels=labels,
            since_training_s=now - max(ended) if ended else float("inf"),
            busy=busy[0] if busy else None,
            verdict=verdict,
            trainings=self._trainings(model, now),
            cure=self._cure(model),
        )

    def since(self, model: str, champion: int) -> float | None:
        """When a champion's devices first saw drift, Unix seconds; None if they have not."""
        return self._first_alarm_at.get((model, champion))

    def _drift_of(self, model: str, champion: int) -> list[DeviceDrift]:
        """A line a device; the same list until one of them has told of a window."""
        of = (model, champion)
        if of not in self._drift:
            self._drift[of] = [s.drift(device) for device, s in self._streaks[of].items()]
        return self._drift[of]

    def _trainings(self, model: str, now: float) -> int:
        """Retrainings of the last 24 hours that no person has asked for."""
        made = [d for d in self._catalog.all(Decision) if d.model == model and not d.asked_by]
        own = [d for d in made if d.verdict is Verdict.RETRAIN and d.trigger != Trigger.PERSON]
        return sum(now - d.at < _DAY_S for d in own)

    def _cure(self, model: str) -> str | None:
        """The open rollout of the model itself: what comes of it is to be seen first."""
        rollouts = [r for r in self._catalog.all(Rollout) if r.under_way]
        mine = [r.key for r in rollouts if r.model == model]
        return f"rollout {mine[0]} is under way" if mine else None

    def _rollouts_to(self, drift: list[DeviceDrift]) -> list[str]:
        """Rollouts that are open in the cohort of a device that sees drift."""
        alarmed = {d.device for d in drift if d.alarms}
        cohorts = {d.cohort for d in self._catalog.all(Device) if d.key in alarmed}
        rollouts = [r for r in self._catalog.all(Rollout) if r.under_way]
        return [r.key for r in rollouts if r.cohort in cohorts]

    def _keep_up(self) -> None:
        """What came late counts no more: what was said after it counts already."""
        changed, self._after = self._telemetry.digests.changed(self._after)
        for device in sorted(changed):
            after = self._read.get(device, (0, 0))
            for brief in self._telemetry.digests.windows(device, after=after, limit=_MOST):
                self._read[device] = brief.boot, brief.seq
                self._take(device, brief)

    def _take(self, device: str, brief: WindowBrief) -> None:
        of = (brief.model, brief.version)
        streak = self._streaks[of].get(device)
        if streak is None:
            streak = self._streaks[of][device] = _Streak(brief, brief)
        streak.take(brief)
        self._drift.pop(of, None)
        if brief.alarm:
            known = self._first_alarm_at.get(of, brief.at)
            self._first_alarm_at[of] = min(known, brief.at)

    def _forget(self, model: str, champion: int) -> None:
        for of in [of for of in self._streaks if of[0] == model and of[1] < champion]:
            del self._streaks[of]
            self._drift.pop(of, None)
            self._first_alarm_at.pop(of, None)
