"""The hub as a whole: where the loop closes, with devices of which only the words are there."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from fleetloop_firmware_sim.network import SimLink
from fleetloop_firmware_sim.power import PowerCut
from fleetloop_hub.decision_records import Decision
from fleetloop_hub.errors import AbsentError, GateError, TrainingError
from fleetloop_hub.fleet_records import Rollout, RolloutState
from fleetloop_hub.records import (
    Dataset,
    Model,
    Record,
    Run,
    RunState,
    Verdict,
    Version,
    VersionState,
)
from fleetloop_hub.storage.audit import FileAudit
from fleetloop_hub.tracking.approvals import Approvals, Words
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.version_parts import Saying
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.durable import RealDisk
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Manifest
from fleetloop_shared.membership import in_wave
from fleetloop_shared.messages import ChunkRequest, HubState
from fleetloop_shared.reports import (
    DriftReport,
    FeatureDrift,
    Label,
    LabelReport,
    Sample,
    SampleReport,
)
from fleetloop_shared.topics import Topic
from support.hubparts import make_version
from support.hubrecords import a_run, a_version
from support.hubrig import HubRig, hub_rig
from support.learnable import SPEC, line_text, toy_csv
from support.reports import labels, sample, samples

STATIONS = [f"station-{n}" for n in range(1, 5)]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    with hub_rig(tmp_path) as made:
        yield made


@pytest.fixture
def fleet(rig: HubRig) -> HubRig:
    """Four stations that run version 1, the champion."""
    rig.add_model(SPEC.replace('"toy"', '"rain"'), "rain")
    first = make_version(rig.kept, 1)
    for station in STATIONS:
        rig.device(station)
    rig.look()
    rig.hub.roll_out("rain", 1, "stations")
    rig.look()
    for station in STATIONS:
        rig.serves(station, first)
    rig.until(lambda: state_of(rig) is RolloutState.DONE)
    return rig


def state_of(rig: HubRig) -> RolloutState:
    return rig.kept.catalog.all(Rollout)[-1].state


def version(rig: HubRig, number: int) -> Version:
    found = rig.kept.catalog.find(Version, f"rain/{number}")
    assert found is not None
    return found


def canary(rig: HubRig) -> list[str]:
    desired = rig.desired()
    return [s for s in STATIONS if in_wave(desired, s, "x", {})]


def test_a_version_that_every_phase_takes_well_becomes_champion(fleet: HubRig) -> None:
    second = make_version(fleet.kept, 2)
    fleet.hub.roll_out("rain", 2, "stations")
    fleet.look()
    assert len(canary(fleet)) == 1
    assert fleet.desired().control is not None
    fleet.serves(canary(fleet)[0], second)
    fleet.look()
    assert fleet.desired().phase == 10_000
    for station in STATIONS:
        fleet.serves(station, second)
    fleet.until(lambda: state_of(fleet) is RolloutState.DONE)
    assert version(fleet, 2).state is VersionState.RELEASED
    assert fleet.hub._registry.champion("rain") == version(fleet, 2)


def test_another_model_takes_the_place_only_of_one_that_may_go(
    fleet: HubRig, tmp_path: Path
) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv())
    fleet.hub.add_model(line_text(), tmp_path)
    fleet.hub.train("toy", "person", "another model")
    fleet.until(lambda: fleet.kept.catalog.find(Version, "toy/1"))
    with pytest.raises(GateError, match=r"cohort stations runs rain/1, .* or --replace it"):
        fleet.hub.roll_out("toy", 1, "stations")
    assert fleet.desired().release.model == "rain"
    assert fleet.hub._releasing.places.cohorts_of("toy") == []
    fleet.hub.roll_out("toy", 1, "stations", replacing=True)
    fleet.look()
    assert fleet.desired().release.model == "toy"


def test_rollout_to_a_cohort_that_nobody_is_in_is_refused(fleet: HubRig) -> None:
    fleet.hub.new_token("default", 60.0)
    with pytest.raises(GateError, match=r"in cohort nix; there are: default, stations\. Nothing"):
        fleet.hub.roll_out("rain", 1, "nix", replacing=True)
    assert [r.cohort for r in fleet.kept.catalog.all(Rollout)] == ["stations"]
    with pytest.raises(GateError, match=r"no device of cohort stations matches site = 'x'"):
        fleet.hub.roll_out("rain", 1, "stations", where="site = 'x'")
    fleet.hub.new_token("nix", 60.0)
    fleet.hub.roll_out("rain", 1, "nix")
    assert fleet.kept.catalog.all(Rollout)[-1].cohort == "nix"


def test_a_version_that_the_canary_gives_up_is_reverted_for_everybody(fleet: HubRig) -> None:
    second = make_version(fleet.kept, 2)
    fleet.hub.roll_out("rain", 2, "stations")
    fleet.look()
    before = fleet.desired().sequence
    fleet.serves(canary(fleet)[0], version(fleet, 1), gave_up=second)
    fleet.look()
    assert state_of(fleet) is RolloutState.REVERTED
    assert (fleet.desired().release.version, fleet.desired().phase) == (1, 10_000)
    assert fleet.desired().sequence == before + 1
    assert version(fleet, 2).state is VersionState.REVERTED
    assert fleet.hub._registry.champion("rain") == version(fleet, 1)


def test_a_canary_of_devices_that_are_off_is_drawn_again_among_those_that_are_on(
    rig: HubRig,
) -> None:
    rig.add_model(SPEC.replace('"toy"', '"rain"'), "rain")
    make_version(rig.kept, 1)
    rig.hub.roll_out("rain", 1, "stations")
    rig.look()
    first = rig.desired()
    late = next(s for s in STATIONS if not in_wave(first, s, "x", {}))
    rig.device(late)
    rig.look()
    rig.look()
    assert in_wave(rig.desired(), late, "x", {})


@pytest.mark.parametrize("restarted", [False, True], ids=["the same hub", "a restarted hub"])
def test_everything_is_said_again_to_a_broker_that_is_empty(
    fleet: HubRig, *, restarted: bool
) -> None:
    retained = fleet.broker.retained()
    fleet.broker.stop()
    fleet.broker.start()
    if restarted:
        fleet.restarted()
    fleet.look()
    said = fleet.broker.retained()
    lasting = {t for t in retained if "/blobs/" in t or t.endswith("/director")}
    assert len(lasting) >= 3
    assert {t: said[t] for t in lasting} == {t: retained[t] for t in lasting}


def test_only_what_live_statements_name_stays_at_the_broker(fleet: HubRig) -> None:
    second = make_version(fleet.kept, 2)
    fleet.hub.roll_out("rain", 2, "stations")
    fleet.look()
    for _ in range(2):
        for station in STATIONS:
            fleet.serves(station, second)
        fleet.look()
    named = {t.split("/")[3] for t in fleet.broker.retained() if "/blobs/" in t}
    assert named == {second.manifest, second.transport}


def test_a_version_that_does_not_exist_or_is_blocked_is_not_rolled_out(fleet: HubRig) -> None:
    with pytest.raises(AbsentError, match="there are: rain@1"):
        fleet.hub.roll_out("rain", 7, "stations")
    blocked = msgspec.structs.replace(
        make_version(fleet.kept, 2), manifest=None, state=VersionState.BLOCKED
    )
    fleet.kept.catalog.put(blocked)
    with pytest.raises(GateError, match="blocked"):
        fleet.hub.roll_out("rain", 2, "stations")


def test_a_model_that_nobody_has_added_is_not_trained(rig: HubRig) -> None:
    with pytest.raises(AbsentError, match="fleetloop train"):
        rig.hub.train("rain", "person", "why not")


def test_a_run_that_a_stopped_hub_has_left_is_marked_as_failed(rig: HubRig, tmp_path: Path) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv())
    rig.hub.add_model(line_text(), tmp_path)
    key = rig.hub.train("toy", "person", "a test")
    rig.hub.stop()
    rig.restarted()
    run = rig.kept.catalog.find(Run, key)
    assert run is not None
    assert run.state is RunState.FAILED
    assert "train again" in str(run.error)


def test_a_run_and_its_version_are_kept_together_once_there_is_room(
    rig: HubRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv())
    rig.hub.add_model(line_text(), tmp_path)
    key = rig.hub.train("toy", "person", "a test")
    catalog, refused = rig.kept.catalog, list[str]()
    put = catalog.put

    def full(*records: Record) -> None:
        if any(isinstance(record, Version) for record in records) and not refused:
            refused.append(key)
            raise DiskFullError("no room")
        put(*records)

    monkeypatch.setattr(catalog, "put", full)
    with pytest.raises(DiskFullError):
        rig.until(lambda: False)
    run = catalog.find(Run, key)
    assert run is not None
    assert (run.state, catalog.all(Version)) == (RunState.RUNNING, [])
    rig.until(lambda: catalog.all(Version))
    run = catalog.find(Run, key)
    assert run is not None
    assert run.state is RunState.FINISHED
    assert rig.hub.status()["training"] is None


def test_a_cancelled_run_leaves_its_record_and_nothing_else(rig: HubRig, tmp_path: Path) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv())
    rig.hub.add_model(line_text(), tmp_path)
    key = rig.hub.train("toy", "person", "a test")
    with pytest.raises(AbsentError, match="no run 'other'"):
        rig.hub.cancel("other", "ann")
    assert (rig.hub.status()["training"] or "").startswith(f"{key}: ")
    share = rig.hub.status().get("training_share")
    assert share is not None
    assert 0 <= share <= 1
    rig.hub.cancel(key, "ann")
    rig.look()
    run = rig.kept.catalog.find(Run, key)
    assert run is not None
    assert run.state is RunState.CANCELLED
    assert "cancelled by ann; nothing of it is used" in str(run.error)
    assert rig.kept.catalog.all(Version) == []
    [decision] = rig.kept.catalog.all(Decision)
    assert "no version came of it: cancelled by ann" in decision.outcome
    with pytest.raises(TrainingError, match="it is cancelled"):
        rig.hub.cancel(key, "ann")
    assert rig.hub.train("toy", "person", "again") != key


def test_second_request_is_queued_and_begins_by_itself_a_third_is_refused(
    rig: HubRig, tmp_path: Path
) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv())
    rig.hub.add_model(line_text(), tmp_path)
    first = rig.hub.train("toy", "person", "a test")
    second = rig.hub.train("toy", "person", "another")
    with pytest.raises(TrainingError, match=f"fleetloop runs cancel {second}"):
        rig.hub.train("toy", "person", "a third")
    states = {run.key: run.state for run in rig.kept.catalog.all(Run)}
    assert states == {first: RunState.RUNNING, second: RunState.QUEUED}
    rig.hub.cancel(first, "ann")
    rig.look()
    assert (rig.hub.status()["training"] or "").startswith(f"{second}: ")
    third = rig.hub.train("toy", "person", "a third")
    rig.hub.cancel(third, "bob")
    assert "taken out by bob" in str(found_run(rig, third).error)
    rig.hub.cancel(second, "ann")
    rig.look()
    assert {run.state for run in rig.kept.catalog.all(Run)} == {RunState.CANCELLED}


def found_run(rig: HubRig, key: str) -> Run:
    found = rig.kept.catalog.find(Run, key)
    assert found is not None
    return found


def test_what_the_hub_decides_waits_for_a_person_where_the_spec_says_so(
    rig: HubRig, tmp_path: Path
) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv())
    rig.hub.add_model(line_text() + '\n[retrain]\napproval = "before_training"\n', tmp_path)
    asked = rig.hub.train("toy", "drift", "the world has changed")
    assert found_run(rig, asked).state is RunState.WAITING
    rig.look()
    assert rig.hub.status()["training"] is None
    [decision] = rig.kept.catalog.all(Decision)
    assert f"fleetloop retrain approve {asked}" in decision.followed[-1].text
    with pytest.raises(AbsentError, match="no run 'toy-9999'"):
        rig.hub.allow("toy-9999", "ann", "why not")
    rig.hub.allow(asked, "ann", "it has")
    rig.look()
    assert (rig.hub.status()["training"] or "").startswith(f"{asked}: ")
    [decision] = rig.kept.catalog.all(Decision)
    assert decision.followed[-1].text == "ann has agreed: it has"
    rig.hub.cancel(asked, "ann")
    rig.look()


def test_approved_version_that_the_hub_has_made_goes_on_by_itself(
    rig: HubRig, tmp_path: Path
) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv())
    rig.hub.add_model(line_text() + '\n[retrain]\napproval = "before_rollout"\n', tmp_path)
    rig.hub.train("toy", "person", "the first version")
    rig.until(lambda: rig.kept.catalog.all(Version))
    [first] = rig.kept.catalog.all(Version)
    assert first.state is VersionState.READY
    rig.device("station-1")
    rig.look()
    rig.hub.roll_out("toy", 1, "stations")
    kept = rig.kept
    kept.catalog.put(
        replace(decision_of(rig, first.decision), key="toy-by-drift", trigger="drift"),
        replace(
            first,
            key="toy/2",
            number=2,
            state=VersionState.WAITING,
            manifest=None,
            needs_approval=True,
            decision="toy-by-drift",
            unsigned=kept.blobs.put(encode(replace(manifest_of(rig, first), version=2))),
        ),
    )
    rig.look()
    assert [r.version for r in kept.catalog.all(Rollout)] == [1]
    words = Words(saying=Saying.APPROVE, by="ann", reason="looked at the card")
    audit = FileAudit(RealDisk(tmp_path / "audit"))
    Approvals(kept.catalog, kept.blobs, audit).say("toy", 2, words, 1.0)
    rig.look()
    rig.look()
    assert [r.version for r in kept.catalog.all(Rollout)] == [1, 2]


def decision_of(rig: HubRig, key: str) -> Decision:
    found = rig.kept.catalog.find(Decision, key)
    assert found is not None
    return found


def manifest_of(rig: HubRig, version_: Version) -> Manifest:
    return Registry(rig.kept.catalog, rig.kept.blobs).manifest(version_)


# --- the loop ------------------------------------------------------------------------------------


def drifted(device: str, seq: int, version_: Version) -> DriftReport:
    feature = FeatureDrift(
        name="a",
        ratio=3.0,
        anderson_darling=9.0,
        triangular=0.5,
        psi=1.0,
        js=0.5,
        shift=20.0,
        shift_sd=2.0,
        missing_ratio=0.0,
    )
    return DriftReport(
        device=device,
        boot=1,
        seq=seq,
        at=1.0,
        model=version_.model,
        version=version_.number,
        artifact=version_.artifact,
        first_row=1,
        rows=32,
        closed=True,
        alarm=True,
        since_row=1,
        ratio=3.0,
        features=[feature],
        correlations=[],
        score_ratio=0.5,
    )


def test_drift_and_late_labels_lead_to_a_better_version_without_a_person(
    rig: HubRig, tmp_path: Path
) -> None:
    policy = (
        "\n[retrain]\nby_accuracy = false\nmin_labels = 200\ncooldown_s = 0.0\n"
        'window = "sliding"\nwindow_rows = 240\n'
        "[sampling]\nrandom_share = 1.0\n"
    )
    (tmp_path / "toy.csv").write_text(toy_csv())
    assert rig.hub.add_model(line_text() + policy, tmp_path) == "toy"
    rig.hub.train("toy", "person", "the first version")
    rig.until(lambda: rig.kept.catalog.all(Version))
    [first] = rig.kept.catalog.all(Version)
    assert first.state is VersionState.READY, [g.text for g in first.gates]
    rig.device("station-1")
    rig.look()
    rig.hub.roll_out("toy", 1, "stations")
    rig.look()
    rig.serves("station-1", first)
    rig.until(lambda: rig.hub._registry.champion("toy") is not None)

    rig.say("station-1", Topic.DRIFT, drifted("station-1", 1, first))
    rig.look()
    assert rig.kept.catalog.all(Decision)[-1].verdict is Verdict.WAIT

    samples, labels = upside_down(240)
    rig.say("station-1", Topic.SAMPLES, samples)
    rig.say("station-1", Topic.LABELS, labels)
    rig.until(lambda: len(rig.kept.catalog.all(Version)) == 2)
    second = rig.kept.catalog.all(Version)[1]
    assert second.state is VersionState.READY, [g.text for g in second.gates]
    rollout = rig.kept.catalog.all(Rollout)[-1]
    assert (rollout.version, rollout.control) == (2, 1)
    decision = rig.kept.catalog.find(Decision, second.decision)
    assert decision is not None
    assert (decision.trigger, decision.version) == ("drift", 2)
    assert decision.evidence["new_labels"] == 240
    assert rig.kept.telemetry.report_count() == 3


def test_rows_that_a_blocked_version_has_learned_from_wait_for_new_labels(
    fleet: HubRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog, telemetry = fleet.kept.catalog, fleet.kept.telemetry
    spec = SPEC.replace('"toy"', '"rain"') + "\n[retrain]\nmin_labels = 1\ncooldown_s = 0.0\n"
    catalog.put(Model(key="rain", spec=fleet.kept.blobs.put(spec.encode()), floor=0, added_at=0.0))
    catalog.put(replace(a_version(2), state=VersionState.BLOCKED, decision="rain-0001"))
    rows = Dataset(
        key=a_run().dataset,
        model="rain",
        source="",
        rows=9,
        positives=3,
        quarantined={},
        parent=None,
        created_at=1.0,
    )
    run = replace(a_run(), number=2, spec=sha256_hex(spec.encode()))
    catalog.put(rows, run)
    grown = list[str]()

    def grow(model: str, *_: object) -> Dataset:
        grown.append(model)
        return rows

    monkeypatch.setattr(fleet.hub._relearning._additions, "grow", grow)
    for station in STATIONS:
        fleet.say(station, Topic.DRIFT, drifted(station, 1, version(fleet, 1)))
    telemetry.store([samples(1, sample("p")), labels(2, ("p", 1))])
    for _ in range(3):
        fleet.look()
    assert catalog.all(Run) == [run]
    assert grown == ["rain"], "the same rows are not gathered again and again"
    told = catalog.all(Decision)[-1]
    assert told.verdict is Verdict.WAIT
    assert told.reasons[-1] == (
        "these rows have given version 2, which is blocked; waiting for new labels"
    )
    telemetry.store([samples(3, sample("q")), labels(4, ("q", 1))])
    fleet.look()
    assert len(grown) == 2


def test_what_waits_for_a_person_is_not_rolled_out_before_they_approve(
    rig: HubRig, tmp_path: Path
) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv())
    rig.hub.add_model(line_text() + "\n[gates]\napproval = true\n", tmp_path)
    rig.device("station-1")
    rig.look()
    rig.hub.train("toy", "drift", "the world changed")
    rig.until(lambda: rig.kept.catalog.all(Version))
    [first] = rig.kept.catalog.all(Version)
    assert (first.state, first.manifest) == (VersionState.WAITING, None)
    assert rig.kept.catalog.all(Rollout) == []
    with pytest.raises(GateError, match="waits for a person"):
        rig.hub.roll_out("toy", 1, "stations")
    parts = rig.kept
    audit = FileAudit(RealDisk(tmp_path / "audit"))
    approvals = Approvals(parts.catalog, parts.blobs, audit)
    words = Words(saying=Saying.APPROVE, by="ann", reason="looked at the card")
    assert approvals.say("toy", 1, words, 1.0).state is VersionState.READY
    rig.hub.roll_out("toy", 1, "stations")
    assert rig.kept.catalog.all(Rollout)[-1].version == 1


def upside_down(rows: int) -> tuple[SampleReport, LabelReport]:
    """Rows of a world in which the rule has turned round."""
    lines = [line.split(",") for line in toy_csv(rows, seed=9).splitlines()[1:]]
    samples = [
        Sample(
            prediction_id=f"p{t}",
            at=1.7e9 + int(t),
            values=[float(a), float(b)],
            score=0.5,
            label=int(y),
            version=1,
        )
        for t, a, b, y in lines
    ]
    labels = [Label(prediction_id=f"p{t}", label=1 - int(y), at=1.7e9) for t, _, _, y in lines]
    who = {"device": "station-1", "boot": 1, "at": 1.7e9}
    return (
        SampleReport(seq=2, model="toy", samples=samples, **who),  # type: ignore[arg-type]  # as above
        LabelReport(seq=3, labels=labels, **who),  # type: ignore[arg-type]  # as above
    )


def test_who_has_the_whole_broker_is_named_and_what_he_wrote_is_put_right(fleet: HubRig) -> None:
    director = Topic.DIRECTOR.at(cohort="stations")
    right = fleet.broker.retained()[director]
    stranger = SimLink(fleet.broker, "stranger")
    stranger.start(None)
    stranger.publish(director, b"forged", retained=True)
    stranger.publish(Topic.ACK.at(device=STATIONS[0]), b'{"boot":1,"seqs":[1]}', retained=True)
    stranger.publish(Topic.HUB.at(), b"", retained=True)
    stranger.publish("fleetloop/v1/devices/../up/state", b"{}")
    stranger.publish(Topic.GET.at(device=STATIONS[0]), encode(ChunkRequest(sha256="0", missing=[])))
    fleet.look()
    said = fleet.broker.retained()
    assert said[director] == right
    assert Topic.ACK.at(device=STATIONS[0]) not in said
    assert decode(said[Topic.HUB.at()], HubState).online
    assert fleet.kept.telemetry.refusals() == {
        ("station-1", "forged-ack"): 1,
        ("station-1", "unknown-content"): 1,
        ("unknown", "cleared"): 1,
        ("unknown", "overwritten"): 1,
        ("unknown", "topic-injection"): 1,
    }
    fleet.look()
    assert sum(fleet.kept.telemetry.refusals().values()) == 5


def test_a_rollout_without_its_statement_is_not_begun(
    fleet: HubRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut between the two left a rollout that waited for devices nobody had told."""
    make_version(fleet.kept, 2)
    before = fleet.kept.catalog.all(Rollout)

    def no_room(_: bytes) -> str:
        raise DiskFullError("no room")

    with monkeypatch.context() as full:
        full.setattr(fleet.kept.blobs, "put", no_room)
        with pytest.raises(DiskFullError):
            fleet.hub.roll_out("rain", 2, "stations")
    assert fleet.kept.catalog.all(Rollout) == before
    fleet.hub.roll_out("rain", 2, "stations")
    assert state_of(fleet) is RolloutState.OPEN


def test_a_hub_that_lost_power_as_a_rollout_ended_crowns_its_version_at_the_next_start(
    fleet: HubRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = make_version(fleet.kept, 2)
    fleet.hub.roll_out("rain", 2, "stations")
    fleet.look()
    for _ in range(2):
        for station in STATIONS:
            fleet.serves(station, second)
        with monkeypatch.context() as cut:
            cut.setattr(Registry, "crown", power_cut)
            with contextlib.suppress(PowerCut):
                fleet.look()
    assert state_of(fleet) is RolloutState.DONE
    assert version(fleet, 2).state is VersionState.READY
    hub = fleet.restarted()
    assert version(fleet, 2).state is VersionState.RELEASED
    champion = Registry(fleet.kept.catalog, fleet.kept.blobs).champion("rain")
    assert champion is not None
    assert champion.number == 2
    hub.stop()


def power_cut(*_: object) -> None:
    raise PowerCut
