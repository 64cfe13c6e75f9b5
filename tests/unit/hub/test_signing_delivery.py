"""Signing in the hub's daily work: old tokens, signing anew, versions that wait for people."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Timestamp

from fleetloop_hub.config import DAY_S
from fleetloop_hub.delivery.director import Director
from fleetloop_hub.delivery.enrolment import Enrolment
from fleetloop_hub.delivery.listing import Image
from fleetloop_hub.delivery.meaning import Turn
from fleetloop_hub.delivery.rollout_states import Effect
from fleetloop_hub.delivery.statements import Statements
from fleetloop_hub.errors import GateError
from fleetloop_hub.fleet_records import Cohort
from fleetloop_hub.records import Alias, Model, VersionState
from fleetloop_hub.spec import reading as specs
from fleetloop_hub.trust import offline
from fleetloop_hub.trust.terms import Repository
from fleetloop_shared.codec import decode_compressed
from fleetloop_shared.messages import EnrolRequest
from fleetloop_shared.topics import Topic
from fleetloop_shared.trust import Bundle, fingerprint
from support.bundles import NOW, desired_in, device_of
from support.hubparts import Parts, RememberedAccounts, make_version, parts
from support.hubrecords import a_rollout
from support.hubrig import HubRig, hub_rig
from support.learnable import SPEC as TOY

SPEC_TEXT = TOY.replace('"toy"', '"rain"')
SPEC = specs.parse(SPEC_TEXT)
ROLLOUT = replace(a_rollout(), cohort="stations", version=2, control=1)
IMAGE, DIRECTOR = Topic.IMAGE.at(), Topic.DIRECTOR.at(cohort="stations")


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        made.catalog.put(Model(key="rain", spec="", floor=0, added_at=0.0))
        make_version(made, 1)
        make_version(made, 2)
        yield made


def version_of(payload: bytes) -> int:
    text = decode_compressed(payload, Bundle).timestamp
    return Metadata[Timestamp].from_bytes(text.encode()).signed.version


def test_a_token_made_before_a_rotation_still_works_and_its_device_follows(kept: Parts) -> None:
    desk = Enrolment(kept.catalog, RememberedAccounts(), kept.trust, "secret")
    token = desk.token("stations", now=0.0, expires_s=60.0)
    for which in Repository:
        kept.trust.rotate(which, {}, 1, NOW)
    secret, _, mark = token.rpartition(".")
    ask = EnrolRequest(token=secret, device="station-1", hardware="x", agent="0.1.0")
    answer = desk.enrol(ask, now=1.0)
    assert fingerprint(answer.image_root, answer.director_root) == mark
    assert (answer.image_root, answer.director_root) == kept.trust.pins((1, 1))
    device = device_of(kept.trust, "stations", pins=(answer.image_root, answer.director_root))
    assert device.take_image(Image(kept.catalog, kept.blobs, kept.trust).statement(NOW).payload)
    director = Director(kept.catalog, kept.blobs, kept.trust)
    said = director.state(Turn(ROLLOUT, Effect.OPEN), SPEC, NOW).payload
    assert device.take_director(said, lambda *_: None) is not None
    fresh = desk.token("stations", now=0.0, expires_s=60.0)
    assert fresh.rpartition(".")[2] != mark


def test_a_statement_that_grows_old_is_signed_anew_and_says_the_same(kept: Parts) -> None:
    director = Director(kept.catalog, kept.blobs, kept.trust)
    first = director.state(Turn(ROLLOUT, Effect.OPEN), SPEC, NOW)
    assert director.renewed(NOW + 1.0) == []
    (again,) = director.renewed(NOW + 4 * DAY_S)
    assert again.topic == first.topic
    assert version_of(again.payload) == version_of(first.payload) + 1
    for payload in (first.payload, again.payload):
        assert desired_in(kept.trust, "stations", payload).sequence == 1
    cohort = kept.catalog.find(Cohort, "stations")
    assert cohort is not None
    assert (cohort.sequence, cohort.signings) == (1, 2)
    assert Director(kept.catalog, kept.blobs, kept.trust).standing() == [again]
    following = director.state(Turn(ROLLOUT, Effect.OPEN), SPEC, NOW + 4 * DAY_S)
    assert version_of(following.payload) == 3


def test_after_a_rotation_every_cohort_is_told_at_once(kept: Parts) -> None:
    director = Director(kept.catalog, kept.blobs, kept.trust)
    director.state(Turn(ROLLOUT, Effect.OPEN), SPEC, NOW)
    director.state(Turn(replace(ROLLOUT, cohort="plains"), Effect.OPEN), SPEC, NOW)
    assert director.renewed(NOW) == []
    kept.trust.rotate(Repository.DIRECTOR, {}, 1, NOW)
    told = director.renewed(NOW + 1.0)
    assert [s.topic for s in told] == [DIRECTOR, Topic.DIRECTOR.at(cohort="plains")]
    assert len(decode_compressed(told[0].payload, Bundle).roots) == 2


def test_no_statement_overtakes_the_list_that_it_relies_on(kept: Parts) -> None:
    director = Director(kept.catalog, kept.blobs, kept.trust)
    statements = Statements(Image(kept.catalog, kept.blobs, kept.trust), director)
    statements.tell(director.state(Turn(ROLLOUT, Effect.OPEN), SPEC, NOW))
    statements.look(NOW)
    tried: list[str] = []

    def refuse(topic: str, payload: bytes) -> bool:
        tried.append(topic)
        return False

    statements.pump(refuse)
    assert tried == [IMAGE]
    said: list[str] = []

    def take(topic: str, payload: bytes) -> bool:
        said.append(topic)
        return True

    statements.pump(take)
    assert said == [IMAGE, DIRECTOR]
    statements.pump(refuse)
    statements.again(NOW)
    statements.pump(take)
    assert said[2:] == [IMAGE, DIRECTOR]


# --- versions that wait for people, in a whole hub ------------------------------------------------


def to_people(rig: HubRig, folder: Path, now: float) -> list[CryptoSigner]:
    """Hand the image's keys to three people, of whom two must sign."""
    made = offline.make_keys(Repository.IMAGE, 3, folder)
    rig.kept.trust.rotate(Repository.IMAGE, offline.public_halves(made), 2, now)
    signers = list(made.values())
    for signer in signers:
        sign(rig, signer, now)
    return signers


def sign(rig: HubRig, signer: CryptoSigner, now: float) -> None:
    for waiting in rig.kept.trust.view(now).waiting:
        if signer.public_key.keyid in waiting.missing_ids:
            rig.kept.trust.sign(offline.sign(waiting, signer), now)


def test_a_version_cannot_be_rolled_out_before_two_people_have_signed_it(tmp_path: Path) -> None:
    with hub_rig(tmp_path / "hub") as rig:
        rig.add_model(SPEC_TEXT, "rain")
        now = rig.hub._now()
        signers = to_people(rig, tmp_path / "people", now)
        make_version(rig.kept, 1)
        rig.look()
        with pytest.raises(GateError, match="rain@1 waits for signatures of people"):
            rig.hub.roll_out("rain", 1, "stations")
        assert DIRECTOR not in rig.broker.retained()
        sign(rig, signers[0], now)
        with pytest.raises(GateError, match="1 of 2"):
            rig.hub.roll_out("rain", 1, "stations")
        sign(rig, signers[1], now)
        rig.hub.roll_out("rain", 1, "stations")
        rig.look()
        assert rig.desired().release.version == 1


def test_a_version_that_was_waited_for_goes_as_soon_as_it_is_signed(tmp_path: Path) -> None:
    with hub_rig(tmp_path / "hub") as rig:
        rig.add_model(SPEC_TEXT, "rain")
        now = rig.hub._now()
        signers = to_people(rig, tmp_path / "people", now)
        version = make_version(rig.kept, 1)
        rejected = make_version(rig.kept, 2)
        rig.kept.catalog.put(Alias(key="rain/challenger", version=1))
        image = Image(rig.kept.catalog, rig.kept.blobs, rig.kept.trust)
        for waits in (version, rejected):
            image.await_signatures(waits, ["stations"], "")
        rig.look()
        rig.kept.catalog.put(replace(rejected, state=VersionState.REJECTED, manifest=None))
        rig.restarted()
        rig.look()
        assert DIRECTOR not in rig.broker.retained()
        for signer in signers[1:]:
            sign(rig, signer, now)
        rig.look()
        assert (rig.desired().release.version, rig.desired().sequence) == (1, 1)
        rig.look()
        assert rig.desired().sequence == 1
