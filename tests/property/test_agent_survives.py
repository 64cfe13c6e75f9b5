"""Whatever an attacker publishes: the agent goes on, serves what it had, and counts it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_agent.update.verify import choose
from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.ids import bucket
from fleetloop_shared.link import Received
from fleetloop_shared.topics import Topic
from support.agent_board import Bench
from support.agent_rig import DEVICE, AgentRig
from support.hubside import COHORT, Hubside

HUB = Hubside()
ONE, TWO = HUB.ship(1, padding_bytes=9_000, chunk_bytes=1_000), HUB.ship(2)
STATEMENT = HUB.direct(HUB.desire(2, TWO.release))
CHUNK = ONE.manifest.transport.sha256

TOPICS = st.sampled_from(
    [
        Topic.DIRECTOR.at(cohort=COHORT),
        Topic.ACK.at(device=DEVICE),
        Topic.HUB.at(),
        Topic.BLOB.at(sha256=ONE.release.manifest_sha256, index=0),
        *(Topic.BLOB.at(sha256=CHUNK, index=index) for index in (0, 1, 8, 9, 999_999)),
        "fleetloop/v1/devices/../../x",
    ]
) | st.text(max_size=60)


@st.composite
def bent_statements(draw: st.DrawFn) -> bytes:
    """A signed statement with some bytes changed, cut out or put in."""
    at = draw(st.integers(0, len(STATEMENT) - 1))
    length = draw(st.integers(0, 40))
    return STATEMENT[:at] + draw(st.binary(max_size=40)) + STATEMENT[at + length :]


PAYLOADS = st.binary(max_size=300) | bent_statements() | st.just(ONE.envelope)
MESSAGES = st.lists(st.tuples(TOPICS, PAYLOADS), max_size=20)


@settings(max_examples=150, deadline=None)
@given(MESSAGES)
def test_no_message_ends_the_agent_or_changes_what_serves(
    messages: list[tuple[str, bytes]],
) -> None:
    rig = AgentRig(HUB, Bench(Flash()))
    rig.bench.link.connect()
    rig.direct(ONE, 1, soak_rows=0)
    rig.run(0.4)
    for topic, payload in messages:
        if payload != STATEMENT:
            rig.bench.link.inject(Received(topic, payload, retained=False))
    rig.run(20.0)
    assert rig.agent.reported().artifact == ONE.manifest.sha256
    desired = rig.agent.updater.journal.desired
    signed = (HUB.desire(1, ONE.release, soak_rows=0), HUB.desire(2, TWO.release))
    assert desired in signed, "it follows what the director has signed, word for word"


@given(st.text("abcdefghij0123456789-_", min_size=1, max_size=20), st.integers(0, 10_000))
def test_a_device_is_in_the_phase_by_its_bucket_alone(device: str, phase: int) -> None:
    desired = HUB.desire(1, ONE.release, phase=phase)
    chosen = choose(desired, device) is not None
    assert chosen == (bucket(device, desired.salt) < phase)
