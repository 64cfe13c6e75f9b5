"""The eight stages of the loop, each with its live number."""

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.monitoring.overview import DeviceView, Level, RolloutView, Stage
from fleetloop_hub.monitoring.overview_version import VersionView
from fleetloop_hub.monitoring.overview_words import Facts
from fleetloop_hub.records import Dataset, Run, RunState, Verdict

_PAGES = {
    "Collect": "/devices",
    "Prepare": "/data",
    "Train": "/runs",
    "Track": "/models",
    "Validate": "/models",
    "Deploy": "/rollouts",
    "Monitor": "/monitoring",
    "Retrain": "/decisions",
}


def stages(facts: Facts) -> list[Stage]:
    """The eight stages, in the loop's order."""
    runs = facts.runs
    return [
        _stage("Collect", f"{facts.reports:,}", "reports from devices", used=facts.reports > 0),
        _prepare(facts.dataset),
        _train(runs),
        _stage("Track", f"{len(runs):,}", "runs on record", used=bool(runs)),
        _validate(facts.versions[0] if facts.versions else None),
        _deploy(facts.rollout, facts.devices),
        _monitor(facts.devices),
        _retrain(facts.decisions),
    ]


def _stage(name: str, number: str, text: str, *, used: bool, level: Level = Level.GOOD) -> Stage:
    if not used:
        number, level = "-", Level.OFF
    return Stage(name=name, page=_PAGES[name], number=number, text=text, level=level)


def _prepare(dataset: Dataset | None) -> Stage:
    if dataset is None:
        return _stage("Prepare", "", "rows to learn from", used=False)
    out = dataset.quarantined_rows or max(dataset.quarantined.values(), default=0)
    text = f"rows to learn from, {out:,} kept out" if out else "rows to learn from"
    return _stage("Prepare", f"{dataset.rows:,}", text, used=True)


def _train(runs: list[Run]) -> Stage:
    if not runs:
        return _stage("Train", "", "candidates tried", used=False)
    number, text, level = _TRAINING.get(runs[0].state, ("", "", Level.GOOD))
    if text:
        return _stage("Train", number, text, used=True, level=level)
    return _stage("Train", str(len(runs[0].candidates)), "candidates tried", used=True)


_TRAINING = {
    RunState.QUEUED: ("…", "a run is queued", Level.BUSY),
    RunState.WAITING: ("…", "a run waits for a person", Level.WARN),
    RunState.RUNNING: ("…", "a run is under way", Level.BUSY),
    RunState.CANCELLED: ("0", "the last run was cancelled", Level.WARN),
    RunState.FAILED: ("0", "the last run failed", Level.BAD),
}


def _validate(version: VersionView | None) -> Stage:
    if version is None:
        return _stage("Validate", "", "gates passed", used=False)
    waived = sum(gate.waived for gate in version.gates)
    passed = Level.WARN if waived else Level.GOOD
    level = passed if version.gates_passed == version.gates_judged else Level.BAD
    number = f"{version.gates_passed}/{version.gates_judged}"
    text = f"gates passed by v{version.number}{f', {waived} waived' if waived else ''}"
    return _stage("Validate", number, text, used=True, level=level)


def _deploy(rollout: RolloutView | None, devices: list[DeviceView]) -> Stage:
    if rollout is None:
        return _stage("Deploy", "", "devices on a release", used=False)
    wanted = rollout.control if rollout.state == "reverted" else rollout.version
    cohort = [d for d in devices if d.cohort == rollout.cohort]
    there = sum((d.model, d.version) == (rollout.model, wanted) for d in cohort)
    text = "devices" if wanted is None else f"devices on v{wanted}"
    level = Level.BUSY if rollout.ended_at is None else Level.GOOD
    return _stage("Deploy", f"{there}/{len(cohort)}", text, used=True, level=level)


def _monitor(devices: list[DeviceView]) -> Stage:
    watching = [d for d in devices if d.drift_ratio is not None]
    alarms = sum(d.alarm for d in watching)
    number = f"{alarms}/{len(watching)}"
    level = Level.WARN if alarms else Level.GOOD
    return _stage("Monitor", number, "devices see drift", used=bool(watching), level=level)


def _retrain(decisions: list[Decision]) -> Stage:
    started = sum(d.verdict is Verdict.RETRAIN for d in decisions)
    text = "retrainings decided" if started != 1 else "retraining decided"
    return _stage("Retrain", f"{started:,}", text, used=bool(decisions))
