"""Why versions have to stay, as a pure function of what fleet and catalog say."""

from collections import defaultdict
from dataclasses import dataclass

from fleetloop_hub.fleet_records import Cohort, Rollout
from fleetloop_hub.records import Alias, Run, RunState, Version, VersionState
from fleetloop_shared.messages import ReportedState


@dataclass(frozen=True)
class Facts:
    """All that can hold on to a version.

    Attributes:
        versions: Of one model.
        aliases: Of every model.
        rollouts: Of every model.
        cohorts: With what their last statements name.
        runs: Of every model.
        reported: The last reported state of each device that was ever heard of.
    """

    versions: list[Version]
    aliases: list[Alias]
    rollouts: list[Rollout]
    cohorts: list[Cohort]
    runs: list[Run]
    reported: dict[str, ReportedState]


def reasons(facts: Facts) -> dict[str, list[str]]:
    """Why each version must stay, in words, by its key; a version that need not is no key."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for version in facts.versions:
        for text in [
            *_named(version, facts),
            *_rolled_out(version, facts),
            *_on_devices(version, facts),
        ]:
            found[version.key].append(text)
    return dict(found)


def _named(version: Version, facts: Facts) -> list[str]:
    told = [
        f"it is the {alias.key.partition('/')[2]}"
        for alias in facts.aliases
        if f"{alias.key.partition('/')[0]}/{alias.version}" == version.key
    ]
    told += [
        f"run {run.key} compares itself with it"
        for run in facts.runs
        if run.state is RunState.RUNNING and run.champion == version.artifact
    ]
    return [*told, "it waits for approval"] if version.state is VersionState.WAITING else told


def _rolled_out(version: Version, facts: Facts) -> list[str]:
    told = [
        f"rollout {rollout.key} is about it"
        for rollout in facts.rollouts
        if rollout.under_way
        and rollout.model == version.model
        and version.number in {rollout.version, rollout.control}
    ]
    return told + [
        f"cohort {cohort.key} is told to run it"
        for cohort in facts.cohorts
        if version.key in cohort.versions
    ]


def _on_devices(version: Version, facts: Facts) -> list[str]:
    told = []
    for device, state in sorted(facts.reported.items()):
        own = state.model == version.model
        if state.artifact == version.artifact or (own and state.version == version.number):
            told.append(f"{device} runs it")
        elif own and state.target == version.number:
            told.append(f"{device} is moving to it")
        elif version.artifact in state.slots:
            told.append(f"{device} may go back to it")
    return told
