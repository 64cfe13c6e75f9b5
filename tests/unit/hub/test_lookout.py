"""What the hub sees of a champion: its signed reference is what profiles are compared with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.lookout import Lookout
from fleetloop_hub.records import Version
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.verdict_records import Who
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.reports import ProfileReport
from support.examples import MANIFEST, MESSAGES
from support.fleet_rows import WINDOW_ROWS, World
from support.hubparts import Parts, parts
from support.hubrecords import a_device, a_version
from support.learnable import toy_spec

WORLD = World(seed=9)
[WINDOW] = [m for m in MESSAGES if isinstance(m, ProfileReport)]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        yield made


def champion(kept: Parts, manifest: bytes) -> Version:
    version = replace(a_version(1), manifest=kept.blobs.put(manifest))
    kept.catalog.put(version)
    return version


def profile(kept: Parts, device: str, *, off: bool = False) -> None:
    rows = WORLD.rows(WINDOW_ROWS)
    rows[:, 0] += 15 * off
    counted = WORLD.profile(rows)
    report = replace(WINDOW, device=device, boot=1, seq=1, first_row=1, profile=counted)
    kept.telemetry.store([("profile", encode_compressed(report), report)])


def test_devices_are_compared_by_the_reference_that_was_signed(kept: Parts) -> None:
    signed = replace(MANIFEST, reference=WORLD.reference, thresholds=WORLD.thresholds)
    version = champion(kept, encode(signed))
    for k in range(6):
        kept.catalog.put(replace(a_device(), key=f"d{k}"))
        profile(kept, f"d{k}", off=k == 3)
    lookout = Lookout(kept.catalog, kept.telemetry, Registry(kept.catalog, kept.blobs))
    evidence = lookout.look(version, toy_spec(), 0.0)
    assert evidence.verdict is not None
    assert evidence.verdict.who is Who.DEVICES
    assert [odd.name for odd in evidence.verdict.devices] == ["d3"]
    assert lookout.verdicts() == [evidence.verdict]


@pytest.mark.parametrize("manifest", [b"{}", b"\0", b""], ids=["another", "damaged", "empty"])
def test_manifest_that_cannot_be_read_gives_no_verdict_and_harms_nothing(
    kept: Parts, manifest: bytes
) -> None:
    version = champion(kept, manifest)
    kept.catalog.put(replace(a_device(), key="d0"))
    profile(kept, "d0")
    lookout = Lookout(kept.catalog, kept.telemetry, Registry(kept.catalog, kept.blobs))
    assert lookout.look(version, toy_spec(), 0.0).verdict is None
    assert lookout.verdicts() == []
