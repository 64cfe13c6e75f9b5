"""A version beside the champion, from a person's word or before a rollout: the hub as a whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.errors import AbsentError, GateError
from fleetloop_hub.fleet_records import Rollout
from fleetloop_hub.shadow_records import ShadowRun, ShadowState
from fleetloop_hub.spec.shadow_table import ShadowTerms
from fleetloop_shared.latency import BINS
from fleetloop_shared.shadow_report import Labelled, ShadowCounts, ShadowReport
from fleetloop_shared.topics import Topic
from support.hubparts import make_version
from support.hubrig import HubRig, hub_rig
from support.learnable import SPEC

STATIONS = ["station-1", "station-2"]
GATED = "\n[shadow]\nrows = 100\nagreement = 0.8\nrows_share = 0.5\n"


def fleet(rig: HubRig, more: str = "") -> None:
    """Two stations that run version 1; a version 2 is ready."""
    rig.add_model(SPEC.replace('"toy"', '"rain"') + more, "rain")
    first = make_version(rig.kept, 1)
    for station in STATIONS:
        rig.device(station)
    rig.look()
    rig.hub.roll_out("rain", 1, "stations")
    rig.look()
    for station in STATIONS:
        rig.serves(station, first)
    rig.until(lambda: rig.hub._registry.champion("rain"))
    make_version(rig.kept, 2)
    rig.look()


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    with hub_rig(tmp_path) as made:
        yield made


def start(rig: HubRig, version: int = 2, **terms: float) -> None:
    rig.hub.start_shadow("rain", version, "stations", ShadowTerms(**terms))
    rig.look()


def run(rig: HubRig) -> ShadowRun:
    return rig.kept.catalog.all(ShadowRun)[-1]


def tell(rig: HubRig, rows: int, agreed: int, seq: int = 50) -> None:
    """A station reports what it has counted, and the hub takes it in."""
    told = ShadowCounts(
        model="rain",
        champion=1,
        challenger=2,
        artifact="a" * 64,
        rows=rows,
        agreed=agreed,
        answers=[[agreed, rows - agreed], [0, 0]],
        differences=[],
        champion_scores=[rows, *[0] * 31],
        challenger_scores=[rows, *[0] * 31],
        labelled=Labelled(),
        latency_counts=[0] * BINS,
        skipped={},
    )
    report = ShadowReport(device=STATIONS[0], boot=1, seq=seq, at=0.0, counts=told)
    rig.say(STATIONS[0], Topic.SHADOW, report)
    rig.look()
    rig.hub._releasing.shadows._looked.clear()
    rig.look()


def test_the_champion_stays_and_the_statement_names_the_challenger(rig: HubRig) -> None:
    fleet(rig)
    before = rig.desired()
    start(rig, rows_share=0.25)
    desired = rig.desired()
    assert desired.shadow is not None
    assert (desired.shadow.release.version, desired.shadow.rows_share) == (2, 0.25)
    assert (desired.release, desired.sequence) == (before.release, before.sequence + 1)
    second = make_version(rig.kept, 2)
    assert second.manifest in {t.split("/")[3] for t in rig.broker.retained() if "/blobs/" in t}


def test_stop_takes_it_back_and_clears_its_chunks(rig: HubRig) -> None:
    fleet(rig)
    start(rig)
    rig.hub.stop_shadow("rain", 2, "stations")
    rig.look()
    rig.look()
    assert rig.desired().shadow is None
    assert run(rig).state is ShadowState.STOPPED
    first = make_version(rig.kept, 1)
    named = {t.split("/")[3] for t in rig.broker.retained() if "/blobs/" in t}
    assert named == {first.manifest, first.transport}
    with pytest.raises(GateError, match="does not run beside"):
        rig.hub.stop_shadow("rain", 2, "stations")


def test_a_rollout_ends_the_shadow_there(rig: HubRig) -> None:
    fleet(rig)
    start(rig)
    rig.hub.roll_out("rain", 2, "stations")
    rig.look()
    assert rig.desired().shadow is None
    assert run(rig).state is ShadowState.SUPERSEDED
    with pytest.raises(GateError, match="a rollout goes on"):
        start(rig)


@pytest.mark.parametrize(
    ("version", "cohort", "text"),
    [(1, "stations", "is what cohort"), (2, "nowhere", "runs no version"), (7, "stations", "@1")],
)
def test_what_cannot_run_beside_anything_is_refused(
    rig: HubRig, version: int, cohort: str, text: str
) -> None:
    fleet(rig)
    with pytest.raises((AbsentError, GateError), match=text):
        rig.hub.start_shadow("rain", version, cohort, ShadowTerms())
    assert rig.kept.catalog.all(ShadowRun) == []


def test_a_new_version_runs_in_shadow_before_its_rollout_begins(rig: HubRig) -> None:
    fleet(rig, GATED)
    rig.hub._releasing.follow(make_version(rig.kept, 2), "rain-0001")
    rig.look()
    rig.look()
    assert run(rig).gated
    assert rig.desired().shadow is not None
    assert len(rig.kept.catalog.all(Rollout)) == 1
    tell(rig, 90, 90)
    assert "90 of 100 rows" in run(rig).text
    rig.restarted()
    rig.look()
    tell(rig, 900, 880, seq=51)
    assert run(rig).state is ShadowState.PASSED
    assert [r.version for r in rig.kept.catalog.all(Rollout)] == [1, 2]
    assert rig.desired().shadow is None


def test_a_version_that_answers_otherwise_is_not_rolled_out(rig: HubRig) -> None:
    fleet(rig, GATED)
    rig.hub._releasing.follow(make_version(rig.kept, 2), "rain-0001")
    rig.look()
    tell(rig, 900, 300)
    assert run(rig).state is ShadowState.REFUSED
    rig.look()
    assert [r.version for r in rig.kept.catalog.all(Rollout)] == [1]
    assert rig.desired().shadow is None
    with pytest.raises(GateError, match="it is not rolled out"):
        rig.hub.roll_out("rain", 2, "stations")


def test_a_person_waits_for_the_shadow_as_well(rig: HubRig) -> None:
    fleet(rig, GATED)
    with pytest.raises(GateError, match="begins beside the champion"):
        rig.hub.roll_out("rain", 2, "stations")
    rig.look()
    assert rig.desired().shadow is not None
    tell(rig, 900, 890)
    rig.hub.roll_out("rain", 2, "stations")
    assert rig.kept.catalog.all(Rollout)[-1].version == 2


def test_another_shadow_takes_the_place_of_the_one_before(rig: HubRig) -> None:
    fleet(rig)
    make_version(rig.kept, 3)
    start(rig)
    start(rig, 3)
    first, second = rig.kept.catalog.all(ShadowRun)
    assert (first.state, second.state) == (ShadowState.SUPERSEDED, ShadowState.OPEN)
    assert rig.desired().shadow is not None
