"""Whatever an attacker publishes: the agent goes on, serves what it had, and counts it."""

import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_firmware_sim.flash import Flash
from fleetloop_shared.codec import decode_compressed, encode
from fleetloop_shared.ids import bucket
from fleetloop_shared.link import Received
from fleetloop_shared.membership import assigned
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import Bundle
from support.agent_board import Bench
from support.agent_rig import DEVICE, AgentRig
from support.hubside import COHORT, HARDWARE, Hubside

HUB = Hubside()
ONE, TWO = HUB.ship(1, padding_bytes=9_000, chunk_bytes=1_000), HUB.ship(2)
STATEMENT = HUB.direct(HUB.desire(2, TWO.release))
BUNDLE = decode_compressed(STATEMENT, Bundle)
PLAIN = encode(BUNDLE)
CHUNK = ONE.manifest.transport.sha256

TOPICS = st.sampled_from(
    [
        Topic.DIRECTOR.at(cohort=COHORT),
        Topic.IMAGE.at(),
        Topic.ACK.at(device=DEVICE),
        Topic.HUB.at(),
        Topic.BLOB.at(sha256=ONE.release.manifest_sha256, index=0),
        *(Topic.BLOB.at(sha256=CHUNK, index=index) for index in (0, 1, 8, 9, 999_999)),
        "fleetloop/v1/devices/../../x",
    ]
) | st.text(max_size=60)


@st.composite
def bent_statements(draw: st.DrawFn) -> bytes:
    """A signed bundle with some bytes changed, cut out or put in, before or after compression."""
    text = draw(st.sampled_from([STATEMENT, PLAIN]))
    at = draw(st.integers(0, len(text) - 1))
    length = draw(st.integers(0, 40))
    bent = text[:at] + draw(st.binary(max_size=40)) + text[at + length :]
    return bent if text is STATEMENT else zlib.compress(bent)


PAYLOADS = st.binary(max_size=300) | bent_statements() | st.just(ONE.document)
MESSAGES = st.lists(st.tuples(TOPICS, PAYLOADS), max_size=20)


@settings(max_examples=150, deadline=None)
@given(MESSAGES)
def test_no_message_ends_the_agent_or_changes_what_serves(
    messages: list[tuple[str, bytes]],
) -> None:
    rig = AgentRig(HUB, Bench(Flash()))
    rig.bench.link.connect()
    rig.direct(ONE, 1, soak_rows=0)
    rig.run(2.0)
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
    chosen = assigned(desired, device, HARDWARE, {}) is not None
    assert chosen == (bucket(device, desired.salt) < phase)
