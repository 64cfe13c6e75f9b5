"""The agent's step, between a broker in memory, a real outbox and a real runtime."""

import msgspec
import pytest

from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.sending import IN_FLIGHT, UNKEPT_REPORTS
from fleetloop_agent.serving.keeping import KEEP_S, PATH
from fleetloop_agent.update.states import State
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.codec import decode, encode
from fleetloop_shared.errors import DiskFullError
from fleetloop_shared.link import Received, SubscriptionRefused
from fleetloop_shared.messages import Ack, DeviceState, HubState
from fleetloop_shared.reports import (
    DriftReport,
    EventKind,
    HealthReport,
    Label,
    LabelReport,
    SampleReport,
)
from fleetloop_shared.sampling import SamplingPolicy
from fleetloop_shared.topics import Topic
from support.agent_board import Bench, MemoryOutbox, SmallHost
from support.agent_rig import DEVICE, AgentRig
from support.hubside import COHORT, Hubside

HUB = Hubside()
ONE, TWO = HUB.ship(1), HUB.ship(2)
ROW = {"temperature": 0.5, "pressure": -0.25}


@pytest.fixture
def rig() -> AgentRig:
    rig = AgentRig(HUB, Bench(Flash()))
    rig.bench.link.connect()
    return rig


def test_a_release_comes_in_serves_and_is_committed(rig: AgentRig) -> None:
    rig.direct(ONE, 1)
    rig.run()
    assert rig.reported.state == State.TRIAL
    rig.agent.predictor.predict([ROW] * 10)
    rig.run()
    said = rig.reported
    assert (said.state, said.version, said.sequence) == (State.SERVING, 1, 1)
    assert said.artifact == ONE.manifest.sha256 == rig.birth.artifact
    assert said.target is None
    assert len(rig.events(EventKind.COMMITTED)) == 1


def test_a_run_that_does_not_end_when_told_to_rolls_a_trial_back(
    rig: AgentRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.direct(ONE, 1, soak_rows=0, soak_s=0.0)
    rig.run()
    rig.direct(TWO, 2)
    rig.run()
    assert rig.reported.state == State.TRIAL
    monkeypatch.setattr(OrtRuntime, "end_overdue", lambda *_: 1)
    rig.run()
    assert rig.reported.artifact == ONE.manifest.sha256
    assert "failed on 1 of 1 rows in its trial" in rig.events(EventKind.ROLLED_BACK)[-1].text


def test_the_birth_is_said_on_every_connection_and_the_will_is_offline(rig: AgentRig) -> None:
    rig.run(1)
    assert (rig.birth.online, rig.birth.conn, rig.birth.boot) == (True, 1, 1)
    rig.bench.link.disconnect()
    rig.bench.link.connect()
    rig.run(1)
    assert rig.birth.conn == 2
    assert rig.bench.link.will is not None
    will = decode(rig.bench.link.will.payload, DeviceState)
    assert (will.online, will.boot, will.conn) == (False, 1, 0)


def test_a_goodbye_is_said(rig: AgentRig) -> None:
    rig.run(1)
    rig.agent.stop()
    assert not rig.birth.online
    assert not rig.bench.link.connected


def test_without_a_network_it_starts_and_serves_from_its_disk(rig: AgentRig) -> None:
    rig.direct(ONE, 1, soak_rows=0)
    rig.run()
    rig.bench.link.disconnect()
    rig.agent = rig.make()
    rig.agent.start()
    (answer,) = rig.agent.predictor.predict([ROW])
    rig.agent.step()
    assert answer.artifact == ONE.manifest.sha256
    assert "rain 1 serves" in rig.events(EventKind.STARTED)[-1].text


def test_subscriptions_are_made_anew_on_every_connection(rig: AgentRig) -> None:
    rig.run(1)
    rig.bench.link.disconnect()
    rig.bench.link.subscribed.clear()
    rig.bench.link.connect()
    rig.run(1)
    assert set(rig.bench.link.subscribed) == {
        Topic.IMAGE.at(),
        Topic.STATE.at(device=DEVICE),
        Topic.REPORTED.at(device=DEVICE),
        Topic.DIRECTOR.at(cohort=COHORT),
        Topic.ACK.at(device=DEVICE),
        Topic.HUB.at(),
    }


def test_reports_are_sent_again_until_the_hub_has_acknowledged_them(rig: AgentRig) -> None:
    rig.run(1)
    events = Topic.EVENTS.at(device=DEVICE)
    assert len(rig.bench.link.sent(events)) == 1
    rig.run(5)
    assert len(rig.bench.link.sent(events)) == 2
    ack = encode(Ack(boot=1, seqs=[1]))
    rig.bench.link.deliver(Topic.ACK.at(device=DEVICE), ack)
    rig.run(20)
    assert len(rig.bench.link.sent(events)) == 2
    assert rig.bench.outbox.records == []


def test_a_hub_that_comes_back_gets_what_is_pending_at_once(rig: AgentRig) -> None:
    rig.run(1)
    rig.bench.link.deliver(Topic.HUB.at(), encode(HubState(online=False)))
    rig.run(30)
    events = Topic.EVENTS.at(device=DEVICE)
    assert len(rig.bench.link.sent(events)) == 1, "re-sent slowly while the hub is away"
    rig.bench.link.deliver(Topic.HUB.at(), encode(HubState(online=True)))
    rig.run(0.2)
    assert len(rig.bench.link.sent(events)) == 2
    rig.bench.link.deliver(Topic.HUB.at(), encode(HubState(online=True)))
    rig.run(0.2)
    assert len(rig.bench.link.sent(events)) == 3, "a hub that came back may have lost what was sent"


def test_a_bounded_number_of_reports_is_in_flight(rig: AgentRig) -> None:
    for number in range(3 * IN_FLIGHT):
        rig.agent._say(EventKind.FAULT, f"fault {number}")
    rig.run(1)
    assert len(rig.bench.link.sent(Topic.EVENTS.at(device=DEVICE))) == IN_FLIGHT


def test_what_the_link_does_not_take_is_offered_again(rig: AgentRig) -> None:
    rig.bench.link.accepts = False
    rig.run(1)
    assert rig.bench.link.published == []
    rig.bench.link.accepts = True
    rig.run(1)
    assert rig.birth.online
    assert rig.reported.boot == 1
    assert len(rig.bench.link.sent(Topic.EVENTS.at(device=DEVICE))) == 1


def serving(rig: AgentRig, **changes: object) -> None:
    rig.direct(ONE, 1, soak_rows=0, **changes)
    rig.run()


def test_a_window_of_drifted_rows_is_reported_with_its_profile(rig: AgentRig) -> None:
    serving(rig)
    rig.agent.predictor.predict([{"temperature": 9.0, "pressure": 9.0}] * 300)
    rig.run(1)
    (drift,) = rig.bench.outbox.reports(Topic.DRIFT)
    assert isinstance(drift, DriftReport)
    assert drift.alarm
    assert (drift.rows, drift.first_row, drift.artifact) == (256, 1, ONE.manifest.sha256)
    assert len(rig.bench.outbox.reports(Topic.PROFILE)) == 1


def test_samples_leave_only_as_far_as_the_statement_lets_them(rig: AgentRig) -> None:
    serving(rig)
    rig.agent.predictor.predict([ROW] * 50)
    rig.run(1)
    assert rig.bench.outbox.reports(Topic.SAMPLES) == []
    rig.direct(ONE, 2, sampling=SamplingPolicy(random_share=1.0, bytes_per_day=10**9))
    rig.run(1)
    rig.agent.predictor.predict([ROW] * 450)
    rig.run(1)
    reports = rig.bench.outbox.reports(Topic.SAMPLES)
    assert all(isinstance(report, SampleReport) for report in reports)
    sizes = [len(report.samples) for report in reports if isinstance(report, SampleReport)]
    assert sizes == [200, 200, 50]


def test_labels_go_to_the_hub_and_are_counted(rig: AgentRig) -> None:
    serving(rig)
    answers = rig.agent.predictor.predict([ROW] * 4)
    rig.agent.predictor.feedback([(a.prediction_id, a.label) for a in answers[:3]])
    rig.agent.predictor.feedback([(answers[3].prediction_id, 1 - answers[3].label)])
    rig.run(61)
    (report,) = rig.bench.outbox.reports(Topic.LABELS)
    assert isinstance(report, LabelReport)
    assert all(isinstance(label, Label) for label in report.labels)
    (health,) = rig.bench.outbox.reports(Topic.HEALTH)
    assert isinstance(health, HealthReport)
    assert (health.labels, health.labels_correct, health.rows) == (4, 3, 4)
    assert health.latency_p50_ms is not None
    assert health.version == 1
    assert health.rss_bytes == SmallHost().rss_bytes()


def test_health_tells_what_waits_and_how_far_the_clock_is_from_the_hub_s(rig: AgentRig) -> None:
    rig.run(1)
    (event,) = rig.bench.outbox.pending(9)
    rig.bench.clock.wrong_by_s = 40.0
    ack = Ack(boot=1, seqs=[1], at=rig.bench.clock.now() - 40.0)
    rig.bench.link.deliver(Topic.ACK.at(device=DEVICE), encode(ack))
    rig.run(61)
    (health,) = rig.bench.outbox.reports(Topic.HEALTH)
    assert isinstance(health, HealthReport)
    assert health.clock is not None
    assert abs(health.clock.offset_s - 40.0) <= health.clock.uncertain_s
    assert health.clock.uncertain_s < 1.0
    assert (health.outbox, health.outbox_bytes, health.unkept, health.inputs) == (0, 0, 0, None)
    assert health.system == SmallHost().system()
    rig.run(1)
    assert rig.agent.status.clock == health.clock
    assert rig.agent.status.outbox_bytes > len(event.payload), "the health report itself waits"


def test_health_is_reported_at_its_interval_also_without_a_model(rig: AgentRig) -> None:
    rig.run(185)
    reports = rig.bench.outbox.reports(Topic.HEALTH)
    assert len(reports) == 3
    assert all(isinstance(r, HealthReport) and r.model is None for r in reports)


def test_labels_of_an_older_version_are_not_counted_for_the_new_one(rig: AgentRig) -> None:
    serving(rig)
    (answer,) = rig.agent.predictor.predict([ROW])
    rig.agent.predictor.feedback([(answer.prediction_id, answer.label)])
    rig.run(1)
    rig.direct(TWO, 2, soak_rows=0)
    rig.run(60)
    health = rig.bench.outbox.reports(Topic.HEALTH)[-1]
    assert isinstance(health, HealthReport)
    assert (health.version, health.labels) == (2, 0)


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("fleetloop/v1/nothing/of/ours", "foreign"),
        (Topic.ACK.at(device="station-2"), "foreign"),
        (Topic.DIRECTOR.at(cohort="hills"), "foreign"),
        (Topic.REPORTED.at(device="station-2"), "foreign"),
        (Topic.ACK.at(device=DEVICE), "undecodable"),
        (Topic.HUB.at(), "undecodable"),
        (Topic.DIRECTOR.at(cohort=COHORT), "undecodable"),
    ],
)
def test_foreign_and_undecodable_messages_are_counted_and_told_once(
    rig: AgentRig, topic: str, reason: str
) -> None:
    for _ in range(5):
        rig.bench.link.inject(Received(topic, b"\xff\xfe", retained=False))
    rig.run(1)
    assert rig.reported.refusals == {reason: 5}
    assert len(rig.events(EventKind.REFUSED)) == 1


def test_an_acknowledgement_of_absurd_numbers_is_harmless(rig: AgentRig) -> None:
    ack = b'{"boot":99999999999999999999999,"seqs":[-99999999999999999999999]}'
    rig.bench.link.inject(Received(Topic.ACK.at(device=DEVICE), ack, retained=False))
    rig.run(1)
    assert len(rig.bench.outbox.records) == 1


def test_a_topic_that_the_broker_does_not_let_us_read_is_told_once(rig: AgentRig) -> None:
    topic = Topic.DIRECTOR.at(cohort=COHORT)
    for _ in range(3):
        rig.bench.link.inject(SubscriptionRefused(topic))
    rig.run(1)
    (event,) = rig.events(EventKind.FAULT)
    assert topic in event.text


def test_the_reported_state_is_said_when_it_changes_and_not_otherwise(rig: AgentRig) -> None:
    rig.run(30)
    before = len(rig.bench.link.sent(Topic.REPORTED.at(device=DEVICE)))
    assert before == 1
    rig.direct(ONE, 1)
    rig.run(30)
    after = len(rig.bench.link.sent(Topic.REPORTED.at(device=DEVICE)))
    assert 2 <= after <= 6


class Full(MemoryOutbox):
    """An outbox whose disk is full until room is made."""

    full = True

    def acknowledge(self, boot: int, seqs: list[int]) -> None:
        if self.full:
            raise DiskFullError("no room to keep a report: free some space")
        super().acknowledge(boot, seqs)


def no_room() -> None:
    raise DiskFullError("no room to keep a report: free some space")


def test_a_full_disk_is_told_and_serving_goes_on(rig: AgentRig) -> None:
    serving(rig)
    outbox = rig.bench.outbox
    outbox.before_append = no_room
    rig.agent.predictor.predict([ROW] * 300)
    rig.direct(TWO, 2)
    rig.run(10)
    assert rig.agent.predictor.predict([ROW])
    assert rig.reported.error is not None
    assert "no room" in rig.reported.error
    before = len(outbox.records)
    outbox.before_append = lambda: None
    rig.run(70)
    assert rig.reported.version == 2
    assert rig.reported.error is None
    assert len(outbox.reports(Topic.DRIFT)) == 1, "nothing was lost meanwhile"
    assert len(outbox.records) > before


def test_what_waits_in_memory_for_room_is_bounded(rig: AgentRig) -> None:
    rig.bench.outbox.before_append = no_room
    for number in range(UNKEPT_REPORTS + 500):
        rig.agent._say(EventKind.FAULT, f"fault {number}")
    rig.bench.outbox.before_append = lambda: None
    rig.run(1)
    assert len(rig.bench.outbox.records) == UNKEPT_REPORTS


def test_an_acknowledgement_that_finds_no_room_is_taken_the_next_time() -> None:
    rig = AgentRig(HUB, Bench(Flash()))
    outbox = Full()
    rig.bench.outbox = outbox
    rig.agent = rig.make()
    rig.agent.start()
    rig.bench.link.connect()
    rig.run(1)
    ack = encode(Ack(boot=1, seqs=[1]))
    rig.bench.link.deliver(Topic.ACK.at(device=DEVICE), ack)
    rig.run(1)
    assert len(outbox.records) == 1
    outbox.full = False
    rig.bench.link.deliver(Topic.ACK.at(device=DEVICE), ack)
    rig.run(1)
    assert outbox.records == []


def test_it_says_how_long_it_may_sleep(rig: AgentRig) -> None:
    rig.run(1)
    assert 0.0 <= rig.agent.step() <= 0.5


def test_a_message_of_a_newer_schema_is_read_as_far_as_it_is_known(rig: AgentRig) -> None:
    state = msgspec.json.encode({"online": True, "at": 1.0, "schema": 2, "mood": "good"})
    rig.bench.link.inject(Received(Topic.HUB.at(), state, retained=True))
    rig.run(1)
    assert rig.reported.refusals == {}


@pytest.mark.parametrize("topic", [Topic.STATE, Topic.REPORTED])
def test_a_word_in_this_device_s_name_is_named_and_its_own_is_said_again(
    rig: AgentRig, topic: Topic
) -> None:
    rig.run(2)
    where, before = topic.at(device=DEVICE), len(rig.bench.link.sent(topic.at(device=DEVICE)))
    for number in range(50):
        rig.bench.link.inject(Received(where, b"forged %d" % number, retained=False))
    rig.run(1)
    rig.bench.link.inject(Received(where, b"forged again", retained=False))
    rig.run(3)
    assert rig.agent.updater.refusals.counts == {"impersonation": 51}
    assert 1 <= len(rig.bench.link.sent(where)) - before <= 5, "a flood of them is no flood of ours"
    assert rig.events(EventKind.REFUSED)[0].reason == "impersonation"


def open_rows(rig: AgentRig) -> int:
    window = rig.agent.predictor.collect(keep=True).open_window
    assert window is not None
    return len(window.rest.scores) // 8


@pytest.fixture
def counted(rig: AgentRig) -> AgentRig:
    rig.direct(ONE, 1)
    rig.run()
    rig.agent.predictor.predict([ROW] * 10)
    rig.run()
    return rig


def test_counting_goes_on_after_a_graceful_end(counted: AgentRig) -> None:
    counted.agent.stop()
    counted.agent = counted.make()
    counted.agent.start()
    counted.agent.predictor.predict([ROW] * 5)
    assert open_rows(counted) == 15


def test_a_cut_loses_what_was_served_since_the_last_keeping(counted: AgentRig) -> None:
    counted.bench.clock.at += KEEP_S
    counted.run(1)
    counted.agent.predictor.predict([ROW] * 3)
    counted.run(1)
    counted.agent = counted.make()
    counted.agent.start()
    assert open_rows(counted) == 10


def test_a_damaged_open_window_is_refused_counted_and_forgotten(counted: AgentRig) -> None:
    counted.agent.stop()
    counted.bench.disk.write(PATH, b"\0" * 4_000)
    counted.agent = counted.make()
    counted.agent.start()
    assert open_rows(counted) == 0
    assert counted.agent.updater.refusals.counts["unusable-window"] == 1
    assert "open window" in counted.events(EventKind.REFUSED)[-1].text
    with pytest.raises(FileNotFoundError):
        counted.bench.disk.read(PATH)


def test_the_open_window_of_another_model_goes_with_it(counted: AgentRig) -> None:
    counted.bench.clock.at += KEEP_S
    counted.run(1)
    assert counted.bench.disk.read(PATH)
    counted.direct(TWO, 2)
    counted.run(30)
    assert counted.reported.version == 2
    with pytest.raises(FileNotFoundError):
        counted.bench.disk.read(PATH)


def test_what_was_served_before_a_graceful_end_is_in_a_last_health_report(rig: AgentRig) -> None:
    serving(rig)
    rig.agent.predictor.predict([ROW] * 7)
    rig.agent.stop()
    last = rig.bench.outbox.reports(Topic.HEALTH)[-1]
    assert isinstance(last, HealthReport)
    assert last.rows == 7
