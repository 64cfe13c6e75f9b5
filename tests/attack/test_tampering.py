"""Tampering: chunks, golden rows, manifests and files at rest that are not what was signed."""

import msgspec
import pytest

from fleetloop_agent.ports import Finding
from fleetloop_agent.update.states import State
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.topics import Topic
from support import bad_models
from support.attacked import FIRST, IMAGE, OWN, Attacked
from support.hubside import Shipment, manifest_of, tiny_model

NEXT = FIRST + 1


@pytest.fixture
def device() -> Attacked:
    return Attacked()


def told(device: Attacked, shipment: Shipment) -> None:
    """The hub's words about a version, without its content."""
    device.link.keep(IMAGE, device.hub.listing([device.one, shipment], NEXT))
    device.link.keep(OWN, device.hub.direct(device.statement(NEXT, shipment)))


@pytest.mark.parametrize("part", ["manifest", "artifact"])
def test_a_chunk_of_which_one_bit_was_changed(device: Attacked, part: str) -> None:
    told(device, device.two)
    changed = {}
    for topic, data in device.two.blobs.items():
        mine = (device.two.release.manifest_sha256 in topic) == (part == "manifest")
        changed[topic] = bytes([data[0] ^ 1]) + data[1:] if mine else data
    for topic, data in changed.items():
        device.link.keep(topic, data)
    device.rig.run(20)
    assert device.serves() == 1
    told_of = [e.topic for e in device.refused() if e.reason == "corrupt-chunk"]
    assert len(told_of) == 1
    assert told_of[0] in {t for t, data in changed.items() if data != device.two.blobs[t]}
    assert not [p for p in device.files() if device.two.manifest.sha256 in p.name]
    device.bring(device.two)
    device.rig.run(30)
    assert device.serves() == 2, "the right chunks are taken once they are there"


def test_golden_rows_that_were_changed_make_another_manifest(device: Attacked) -> None:
    golden = device.two.manifest.golden
    bent = msgspec.structs.replace(golden, outputs=[[0.5, 0.5]] * len(golden.inputs))
    other = device.hub.ship_bytes(
        msgspec.structs.replace(device.two.manifest, golden=bent), device.two.artifact
    )
    told(device, device.two)
    where = Topic.BLOB.at(sha256=device.two.release.manifest_sha256, index=0)
    device.bring(other)
    device.attack(other.document, where)
    assert device.rig.agent.updater.journal.state is State.PLANNED
    assert (device.refused()[-1].reason, device.refused()[-1].topic) == ("corrupt-chunk", where)
    assert device.serves() == 1
    device.bring(device.two)
    device.rig.run(20)
    assert device.serves() == 2


def test_a_signed_manifest_whose_chunks_make_another_artifact(device: Attacked) -> None:
    """Who signs manifests, and could exchange the chunks, still has to name the artifact's hash."""
    manifest = manifest_of(tiny_model(3.0), 3, 3.0)
    other = manifest_of(tiny_model(4.0), 3, 4.0)
    lying = msgspec.structs.replace(manifest, transport=other.transport)
    shipment = device.hub.ship_bytes(lying, tiny_model(4.0))
    device.bring(shipment)
    told(device, shipment)
    device.rig.run(10)
    assert device.refused()[-1].reason in {"mix-and-match", "undecodable", "wrong-manifest"}
    assert device.serves() == 1
    assert not [p for p in {*device.files()} - {*device.before} if p.parts[0] == "artifacts"]
    device.follows_its_own_director()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999", "1" + "0" * 5_000])
def test_a_manifest_with_numbers_that_are_none(device: Attacked, number: str) -> None:
    text = device.two.document.decode()
    bent = text.replace('"tolerance":0.0001', f'"tolerance":{number}')
    assert bent != text
    made = device.hub.ship_bytes(device.two.manifest, device.two.artifact)
    document = bent.encode()
    release = msgspec.structs.replace(
        made.release, manifest_bytes=len(document), manifest_sha256=sha256_hex(document)
    )
    shipment = Shipment(made.manifest, made.artifact, document, release)
    device.bring(shipment)
    told(device, shipment)
    device.rig.run(10)
    assert device.refused()[-1].reason in {"undecodable", "wrong-manifest"}
    assert device.serves() == 1
    device.follows_its_own_director()


def test_a_signed_model_that_fails_its_self_test_never_serves(device: Attacked) -> None:
    evil = device.hub.ship_bytes(manifest_of(bad_models.gigabytes(), 2), bad_models.gigabytes())
    device.rig.bench.self_test.finding = Finding(passed=False, text="std::bad_alloc")
    device.bring(evil)
    told(device, evil)
    device.rig.run(10)
    last = device.refused()[-1]
    assert (last.reason, last.content) == ("self-test", evil.manifest.sha256)
    assert device.serves() == 1
    assert device.rig.reported.quarantined == [evil.manifest.sha256]
    device.rig.bench.self_test.finding = Finding(passed=True, text="told to pass")
    device.follows_its_own_director()


def test_a_model_that_was_changed_on_the_disk_is_not_loaded(device: Attacked) -> None:
    """Who owns the disk can stop a device; what was not signed does not serve even so."""
    name = next(p for p in device.files() if device.one.manifest.sha256 in p.name)
    device.flash.write(name, tiny_model(9.0))
    device.rig.agent.stop()
    device.rig.agent = device.rig.make()
    device.rig.agent.start()
    assert device.rig.agent.predictor.manifest is None
    device.link.connect()
    device.rig.run(10)
    assert device.serves() == 1, "it fetches again what was signed"
