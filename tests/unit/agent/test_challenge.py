"""How a challenger comes beside the champion, and what never comes of it: step by step."""

import pytest

from fleetloop_agent.errors import InputError, ModelError
from fleetloop_agent.ports import Finding
from fleetloop_agent.update import challenge, verify
from fleetloop_agent.update.acquire import DEFER_S
from fleetloop_agent.update.parts import PARTS
from fleetloop_agent.update.slots import ARTIFACTS, artifact_path
from fleetloop_agent.update.states import State
from fleetloop_agent.update.trial import ATTEMPTS
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.messages import Shadow
from fleetloop_shared.reports import EventKind
from support.agent_board import Bench
from support.hubside import HARDWARE, Hubside, Shipment
from support.update_rig import Rig

HUB = Hubside()
ONE, TWO, THREE = (HUB.ship(v, padding_bytes=40_000, chunk_bytes=4_000) for v in (1, 2, 3))


def shadow(shipment: Shipment, **changes: object) -> Shadow:
    given: dict[str, object] = {"rows_share": 0.5, "most_delay_ms": 5.0} | changes
    return Shadow(release=shipment.release, **given)  # type: ignore[arg-type]  # a test's own


@pytest.fixture
def rig() -> Rig:
    made = Rig(Bench(Flash()), HUB)
    made.commit(ONE, 1)
    return made


def challenge_with(rig: Rig, shipment: Shipment, sequence: int = 2, **changes: float) -> None:
    """Have the hub ask for a challenger beside version 1."""
    for topic, payload in shipment.blobs.items():
        rig.bench.link.keep(topic, payload)
    rig.list(shipment)
    rig.offer(sequence, ONE, shadow=shadow(shipment, **changes))
    rig.run()


def here(rig: Rig, shipment: Shipment) -> bool:
    return artifact_path(shipment.manifest.sha256).name in rig.bench.disk.names(ARTIFACTS)


def test_a_challenger_is_fetched_tested_and_seated_and_the_champion_serves_on(rig: Rig) -> None:
    challenge_with(rig, TWO)
    assert rig.seat.seated == [2]
    assert rig.bench.serving.version == 1
    assert rig.bench.self_test.started[-1] == TWO.manifest.sha256
    assert rig.state is State.SERVING
    told = rig.updater.reported()
    assert (told.challenger, told.challenger_text) == (2, "runs beside the champion")
    assert rig.events[-1] is EventKind.CHALLENGER
    assert TWO.manifest.sha256 not in told.slots, "nobody goes back to it"
    assert rig.bench.disk.names(PARTS) == []


def test_it_is_kept_over_a_restart_and_fetched_once(rig: Rig) -> None:
    challenge_with(rig, TWO)
    asked = len(rig.bench.link.subscribed)
    rig.restart()
    rig.run()
    assert rig.seat.seated == [2]
    assert not [t for t in rig.bench.link.subscribed[asked:] if "/blobs/" in t]


def test_half_of_it_is_kept_over_a_restart(rig: Rig) -> None:
    missing = [t for t in TWO.blobs if t.endswith(("/7", "/8", "/9"))]
    blobs = {t: p for t, p in TWO.blobs.items() if t not in missing}
    rig.list(TWO)
    for topic, payload in blobs.items():
        rig.bench.link.keep(topic, payload)
    rig.offer(2, ONE, shadow=shadow(TWO))
    for _ in range(60):
        rig.step()
    assert not here(rig, TWO)
    rig.restart()
    asked = len(rig.bench.link.subscribed)
    for topic in missing:
        rig.bench.link.keep(topic, TWO.blobs[topic])
    rig.run()
    assert rig.seat.seated == [2]
    again = {t for t in rig.bench.link.subscribed[asked:] if "/blobs/" in t}
    assert again <= {*missing, *(t for t in again if t.endswith("/0") and t not in blobs)}


def test_a_statement_without_it_frees_the_slot(rig: Rig) -> None:
    challenge_with(rig, TWO)
    rig.offer(3, ONE)
    rig.run()
    assert rig.seat.manifest is None
    assert not here(rig, TWO)
    assert rig.updater.reported().challenger is None


def test_another_challenger_takes_its_place(rig: Rig) -> None:
    challenge_with(rig, TWO)
    challenge_with(rig, THREE, sequence=3)
    assert rig.seat.seated == [2, 3]
    assert (here(rig, TWO), here(rig, THREE)) == (False, True)


def test_an_update_goes_first_and_has_the_challengers_room(rig: Rig) -> None:
    challenge_with(rig, TWO)
    rig.publish(THREE, 3, shadow=shadow(TWO))
    rig.run(State.PLANNED)
    assert rig.seat.manifest is None
    assert not here(rig, TWO)
    rig.run(State.TRIAL)
    assert rig.journal.challenger is None
    rig.run()
    rig.bench.serving.rows = 1_000
    rig.run()
    assert (rig.bench.serving.version, rig.seat.seated) == (3, [2, 2]), "then it is beside that"


def test_a_challenger_that_is_promoted_is_not_fetched_again(rig: Rig) -> None:
    challenge_with(rig, TWO)
    asked = len(rig.bench.link.subscribed)
    rig.commit(TWO, 3)
    assert len(rig.bench.link.subscribed) == asked
    assert rig.journal.challenger is None


@pytest.mark.parametrize(
    ("shipment", "reason"),
    [
        (HUB.ship(2, hardware=["pi3"]), "wrong-hardware"),
        (HUB.ship(2, floor=0), "below-floor"),
    ],
)
def test_attack_a_challenger_that_this_device_may_not_have(
    rig: Rig, shipment: Shipment, reason: str
) -> None:
    for topic, payload in shipment.blobs.items():
        rig.bench.link.keep(topic, payload)
    rig.list(shipment)
    rig.offer(3, ONE, floor=1, shadow=shadow(shipment))
    rig.run()
    assert rig.updater.refusals.counts.get(reason) == 1
    assert rig.seat.seated == []
    assert not here(rig, shipment)
    assert rig.bench.serving.version == 1


def test_attack_a_challenger_that_the_image_repository_does_not_list(rig: Rig) -> None:
    for topic, payload in TWO.blobs.items():
        rig.bench.link.keep(topic, payload)
    rig.offer(2, ONE, shadow=shadow(TWO))
    rig.run()
    rig.bench.clock.at += DEFER_S
    rig.run()
    assert rig.updater.refusals.counts == {"arbitrary-software": 1}
    assert rig.seat.seated == []
    rig.list(TWO)
    rig.bench.clock.at += DEFER_S
    rig.run()
    assert rig.seat.seated == [2], "listed, it is thought over"


def test_attack_a_challenger_whose_chunks_are_others(rig: Rig) -> None:
    topics = [t for t in TWO.blobs if TWO.manifest.transport.sha256 in t]
    bad = dict.fromkeys(topics, b"x" * 4_000)
    for topic, payload in {**TWO.blobs, **bad}.items():
        rig.bench.link.keep(topic, payload)
    rig.list(TWO)
    rig.offer(2, ONE, shadow=shadow(TWO))
    for _ in range(20):
        rig.step()
    assert set(rig.updater.refusals.counts) == {"corrupt-chunk"}
    assert rig.seat.seated == []
    assert rig.bench.serving.version == 1


@pytest.mark.parametrize("changes", [{"rows_share": 2.0}, {"cpu_share": 0.0}, {"most_delay_ms": 0}])
def test_attack_shares_and_limits_that_cannot_be(rig: Rig, changes: dict[str, float]) -> None:
    challenge_with(rig, TWO, 2, **changes)
    assert rig.journal.desired is not None
    assert rig.journal.desired.sequence == 1
    assert rig.seat.seated == []


def test_one_that_fails_its_self_test_is_quarantined_and_reported(rig: Rig) -> None:
    rig.bench.self_test.finding = Finding(passed=False, text="outputs differ")
    challenge_with(rig, TWO)
    assert [slot.version for slot in rig.journal.quarantine] == [2]
    assert TWO.manifest.sha256 in rig.updater.reported().quarantined
    assert not here(rig, TWO)
    assert rig.bench.serving.version == 1
    challenge_with(rig, TWO, sequence=3)
    assert rig.bench.self_test.started.count(TWO.manifest.sha256) == 1, "never tried again"


def test_one_that_does_not_load_or_fails_while_it_runs_is_quarantined(rig: Rig) -> None:
    rig.seat.refuses = ModelError("does not load")
    challenge_with(rig, TWO)
    rig.seat.refuses = None
    challenge_with(rig, THREE, sequence=3)
    rig.seat.fault = "it hangs"
    rig.bench.clock.at += challenge.LOOK_S
    rig.run()
    assert [slot.version for slot in rig.journal.quarantine] == [2, 3]
    assert rig.seat.manifest is None


@pytest.mark.parametrize("trouble", ["inputs", "slow", "memory"])
def test_one_that_does_not_fit_here_rests_without_being_barred(rig: Rig, trouble: str) -> None:
    if trouble == "inputs":
        rig.seat.refuses = InputError("other features")
    challenge_with(rig, TWO)
    if trouble == "slow":
        rig.seat.slow = "too slow"
    if trouble == "memory":
        rig.bench.host.rss += 1_000_000_000
    rig.bench.clock.at += challenge.LOOK_S
    rig.run()
    assert rig.seat.manifest is None
    assert rig.journal.quarantine == ()
    assert not here(rig, TWO)
    seated = len(rig.seat.seated)
    rig.bench.clock.at += DEFER_S
    rig.run()
    assert len(rig.seat.seated) == seated, "not again, until something changes"


def test_one_that_ends_the_agent_is_loaded_a_few_times_only(rig: Rig) -> None:
    challenge_with(rig, TWO)
    for _ in range(ATTEMPTS):
        rig.restart()
        rig.run()
    assert [slot.version for slot in rig.journal.quarantine] == [2]
    assert rig.bench.serving.version == 1


def test_one_that_has_run_for_a_while_may_be_loaded_ever_again(rig: Rig) -> None:
    challenge_with(rig, TWO)
    for _ in range(ATTEMPTS + 2):
        rig.bench.clock.at += challenge.PROVEN_S
        rig.run()
        rig.restart()
        rig.run()
    assert rig.journal.quarantine == ()
    assert rig.seat.manifest is not None


def test_one_that_is_barred_from_this_hardware_does_not_run(rig: Rig) -> None:
    challenge_with(rig, TWO)
    barred = {HARDWARE: [TWO.release.manifest_sha256]}
    rig.offer(3, ONE, shadow=shadow(TWO), quarantined=barred)
    rig.run()
    assert rig.seat.manifest is None
    assert "is not tried again" in str(rig.updater.reported().challenger_text)


def test_a_full_disk_keeps_the_challenger_out_and_the_champion_in(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "RESERVE_BYTES", 10**12)
    challenge_with(rig, TWO)
    assert rig.seat.seated == []
    assert "are free" in str(rig.updater.reported().challenger_text)
    monkeypatch.undo()
    rig.bench.clock.at += DEFER_S
    rig.run()
    assert rig.seat.seated == [2]


def test_a_device_without_a_champion_has_no_challenger() -> None:
    rig = Rig(Bench(Flash()), HUB)
    rig.offer(1, ONE, phase=0, shadow=shadow(TWO))
    rig.run()
    assert rig.seat.seated == []
    assert rig.updater.reported().challenger is None
