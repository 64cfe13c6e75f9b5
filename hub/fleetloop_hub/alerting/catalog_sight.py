"""Conditions that stand in the catalog: rollouts, versions and runs that want a person."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from fleetloop_hub.alert_records import AlertKind, AlertLevel
from fleetloop_hub.alerting.condition import Condition, listed, some
from fleetloop_hub.fleet_records import Rollout, RolloutState
from fleetloop_hub.ports import Catalog
from fleetloop_hub.records import Run, RunState, Version, VersionState

KINDS = (AlertKind.ROLLOUT_STOPPED, AlertKind.APPROVAL_WAITING, AlertKind.RUN_FAILED)
RECENT_S = 7 * 86_400.0
"""What has ended badly wants attention for so long, unless something newer takes its place."""

_STOPPED = {
    RolloutState.PAUSED: (AlertLevel.WARN, "is paused"),
    RolloutState.HALTING: (AlertLevel.BAD, "does harm, and devices go back"),
    RolloutState.REVERTED: (AlertLevel.BAD, "was reverted"),
    RolloutState.EXPIRED: (AlertLevel.WARN, "has expired"),
}

R = TypeVar("R")


class CatalogSight:
    """Reads the catalog; costs a walk through rollouts, versions and runs."""

    def __init__(self, catalog: Catalog) -> None:
        """Look at this one."""
        self._catalog = catalog

    def look(self, now: float) -> list[Condition]:
        """What stands at a time, Unix seconds."""
        rollouts = _last(
            self._catalog.all(Rollout), lambda r: f"{r.model}@{_place(r)}", lambda r: r.started_at
        )
        runs = [run for run in self._catalog.all(Run) if run.reproduces is None]
        found = [_rollout(where, rollout, now) for where, rollout in rollouts.items()]
        newest = _last(runs, lambda r: r.model, lambda r: r.started_at)
        found += [_failed(run, now) for run in newest.values()]
        found += [_agreement(run) for run in runs if run.state is RunState.WAITING]
        waiting: dict[str, list[Version]] = {}
        for version in self._catalog.all(Version):
            if version.state is VersionState.WAITING:
                waiting.setdefault(version.model, []).append(version)
        return [c for c in found if c is not None] + [_versions(v) for v in waiting.values()]


def _rollout(where: str, rollout: Rollout, now: float) -> Condition | None:
    what, page = f"{rollout.model} v{rollout.version}", f"/rollouts/{rollout.key}"
    if rollout.state is RolloutState.WAITING:
        return Condition(
            AlertKind.APPROVAL_WAITING,
            where,
            AlertLevel.WARN,
            f"rollout of {what} to {_place(rollout)} waits for a person: fleetloop rollouts "
            f"approve {rollout.key} --reason TEXT",
            page,
        )
    old = rollout.ended_at is not None and now - rollout.ended_at > RECENT_S
    if rollout.state not in _STOPPED or old:
        return None
    level, words = _STOPPED[rollout.state]
    said = f": {rollout.text}" if rollout.text else ""
    text = f"rollout of {what} to {_place(rollout)} {words}{said}"
    return Condition(AlertKind.ROLLOUT_STOPPED, where, level, text, page)


def _failed(run: Run, now: float) -> Condition | None:
    if run.state is not RunState.FAILED or now - run.started_at > RECENT_S:
        return None
    text = f"run {run.key} has failed: {run.error or 'see its log'}"
    return Condition(AlertKind.RUN_FAILED, run.model, AlertLevel.WARN, text, f"/runs/{run.key}")


def _agreement(run: Run) -> Condition:
    text = (
        f"retraining {run.model} waits for a person: {run.reason or run.asked_by}: fleetloop "
        f"retrain approve {run.key} --reason TEXT"
    )
    page = f"/runs/{run.key}"
    return Condition(AlertKind.APPROVAL_WAITING, f"{run.model}@run", AlertLevel.WARN, text, page)


def _versions(waiting: list[Version]) -> Condition:
    newest = max(waiting, key=lambda v: v.number)
    names = [f"{v.model}@{v.number}" for v in waiting]
    text = (
        f"{listed(names)} {'waits' if len(names) == 1 else 'wait'} for approval: fleetloop approve "
        f"{newest.model}@{newest.number} --reason TEXT"
    )
    return Condition(
        AlertKind.APPROVAL_WAITING,
        newest.model,
        AlertLevel.WARN,
        text,
        f"/models/{newest.model}/{newest.number}",
        len(names),
        some(names),
    )


def _place(rollout: Rollout) -> str:
    return rollout.place or rollout.cohort


def _last(records: Iterable[R], of: Callable[[R], str], at: Callable[[R], float]) -> dict[str, R]:
    """The last of each, by what they are of."""
    return {of(record): record for record in sorted(records, key=at)}
