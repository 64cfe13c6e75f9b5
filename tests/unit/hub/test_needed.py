"""Everything that can hold on to a version does so, each by itself."""

import pytest
from msgspec.structs import replace

from fleetloop_hub.fleet_records import Cohort, Rollout, RolloutState
from fleetloop_hub.records import Alias, Run, RunState, Version, VersionState
from fleetloop_hub.tracking.named import named
from fleetloop_hub.tracking.needed import Facts, reasons
from fleetloop_hub.tracking.retention import choose
from fleetloop_shared.messages import ReportedState
from support.hubrecords import START, a_rollout, a_run, a_version

OLD = replace(a_version(1, run="run-1"), artifact="a" * 64)
NEW = replace(a_version(2, run="run-2"), artifact="b" * 64)


def facts(  # noqa: PLR0913  # what a test varies
    *,
    versions: tuple[Version, ...] = (OLD, NEW),
    aliases: tuple[Alias, ...] = (),
    rollouts: tuple[Rollout, ...] = (),
    cohorts: tuple[Cohort, ...] = (),
    runs: tuple[Run, ...] = (),
    reported: dict[str, ReportedState] | None = None,
) -> Facts:
    own = (a_run("run-1"), a_run("run-2"))
    return Facts(
        list(versions), list(aliases), list(rollouts), list(cohorts), [*own, *runs], reported or {}
    )


def says(**told: object) -> dict[str, ReportedState]:
    state = ReportedState(at=START, boot=1, sequence=1, state="serving", model="rain")
    return {"station-1": replace(state, **told)}


HOLDERS = {
    "it is the golden": facts(aliases=(Alias(key="rain/golden", version=1),)),
    "rollout rollout-1 is about it": facts(rollouts=(a_rollout(),)),
    "rollout other is about it": facts(
        rollouts=(replace(a_rollout(), key="other", version=2, control=1),)
    ),
    "cohort plains is told to run it": facts(
        cohorts=(Cohort(key="plains", sequence=1, versions=["rain/1"]),)
    ),
    "run run-9 compares itself with it": facts(
        runs=(replace(a_run("run-9", state=RunState.RUNNING), champion="a" * 64),)
    ),
    "it waits for approval": facts(versions=(replace(OLD, state=VersionState.WAITING), NEW)),
    "station-1 runs it": facts(reported=says(artifact="a" * 64, version=7)),
    "station-1 is moving to it": facts(reported=says(target=1, version=2)),
    "station-1 may go back to it": facts(reported=says(slots=["b" * 64, "a" * 64], version=2)),
}


@pytest.mark.parametrize("why", HOLDERS)
def test_each_holder_keeps_the_old_version_by_itself(why: str) -> None:
    assert reasons(HOLDERS[why])["rain/1"] == [why]
    choice = choose(HOLDERS[why], "rain", 0)
    assert "rain/1" not in [version.key for version in choice.deleted]
    assert choice.kept["rain/1"] == [why]
    assert "run-1" not in [run.key for run in choice.swept]


def test_what_nothing_holds_goes_with_its_run_and_the_newest_stays() -> None:
    left = replace(a_run("run-1"), artifacts={"log.txt": "c" * 64})
    free = facts(runs=(left,))
    choice = choose(free, "rain", 1)
    assert [version.key for version in choice.deleted] == ["rain/1"]
    assert [run.key for run in choice.swept] == ["run-1"]
    assert [version.key for version in choose(free, "rain", 0).deleted] == ["rain/1", "rain/2"]
    assert choose(free, "rain", 2).deleted == []


def test_what_has_ended_or_is_of_another_model_holds_nothing() -> None:
    idle = facts(
        aliases=(Alias(key="snow/golden", version=1),),
        rollouts=(a_rollout(state=RolloutState.DONE),),
        runs=(replace(a_run("run-9"), champion="a" * 64),),
        reported=says(model="snow", version=1, target=1),
    )
    assert reasons(idle) == {}


def test_runs_without_a_version_go_when_newer_ones_have_come() -> None:
    left = {"log.txt": "c" * 64}
    failed = tuple(
        replace(a_run(f"f-{n}", state=RunState.FAILED), artifacts=left, started_at=float(n))
        for n in range(4)
    )
    running = replace(a_run("now", state=RunState.RUNNING), artifacts=left, started_at=-1.0)
    swept = replace(failed[0], key="gone", swept=True)
    choice = choose(facts(runs=(*failed, running, swept)), "rain", 2)
    assert [run.key for run in choice.swept] == ["f-0", "f-1"]


def test_any_hash_in_any_document_counts_but_of_what_was_given_up() -> None:
    one, two, three = "1" * 64, "2" * 64, "3" * 64
    run = {"key": "r", "state": "finished", "champion": two, "artifacts": {"log.txt": one}}
    assert named([("strange", {"key": "x", "deep": [{"er": f"sha256:{one}"}], "n": "1" * 65})]) == {
        one
    }
    assert named([("version", {"state": "deleted", "artifact": one})]) == set()
    assert named([("version", {"state": "archived", "artifact": one})]) == {one}
    assert named([("run", run)]) == {one}
    assert named([("run", run | {"state": "running"})]) == {one, two}
    assert named([("run", run | {"swept": True, "spec": three})]) == {three}
    assert named([("seeded", {"key": one, "live": False})]) == set()
    assert named([("seeded", {"key": one, "live": True})]) == {one}
