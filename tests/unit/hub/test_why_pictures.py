"""What the field looked like when something was decided stays, as figures and as drawings."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.charts.histograms import Pair, histograms
from fleetloop_hub.charts.lines import Point, Series, Words, lines
from fleetloop_hub.decision_records import Decision
from fleetloop_hub.records import Version
from fleetloop_hub.why.keeping import illustrating
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.estimate.records import Estimate
from fleetloop_shared.reports import DriftReport, ProfileReport
from support.examples import MANIFEST, MESSAGES
from support.fleet_rows import WINDOW_ROWS, World
from support.hubparts import Parts, parts
from support.hubrecords import a_decision, a_drift, a_version
from support.reports import labels, sample, samples

WORLD = World(seed=9)
[WINDOW] = [m for m in MESSAGES if isinstance(m, ProfileReport)]
SIGNED = replace(
    MANIFEST, model="rain", version=1, reference=WORLD.reference, thresholds=WORLD.thresholds
)
FEATURE = WORLD.reference.features[0].name


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path) as made:
        yield made


def told(kept: Parts, *, devices: tuple[str, ...] = ("d0", "d1")) -> None:
    """Each device reports three windows, the last with drift in the first feature."""
    for device in devices:
        for seq, ratio in enumerate((0.4, 0.8, 3.0), 1):
            report = a_drift(seq, ratio, device=device)
            assert isinstance(report, DriftReport)
            estimate = Estimate(metric="accuracy", rows=256, value=0.8, low=0.7, high=0.9)
            drift = replace(report.features[0], name=FEATURE)
            report = replace(report, estimate=estimate, features=[drift])
            kept.telemetry.store([("drift", encode(report), report)])
        counted = WORLD.profile(WORLD.rows(WINDOW_ROWS))
        profile = replace(WINDOW, device=device, model="rain", version=1, profile=counted)
        kept.telemetry.store([("profile", encode_compressed(profile), profile)])


def illustrated(kept: Parts, manifest: bytes, **changes: object) -> Decision:
    kept.catalog.put(replace(a_version(1), manifest=kept.blobs.put(manifest)))
    decision = replace(a_decision(), champion=1, at=2e9, **changes)
    return illustrating(kept.catalog, kept.telemetry, kept.blobs)(decision)


def drawing(kept: Parts, decision: Decision, name: str) -> str:
    data = kept.blobs.get(decision.pictures[name])
    ET.fromstring(data)  # noqa: S314  # it was written here
    return data.decode()


def test_a_decision_keeps_drift_accuracy_and_the_features_that_moved(kept: Parts) -> None:
    told(kept)
    rows = [sample(f"p{k}", at=1e9 + k) for k in range(4)]
    truths = [(row.prediction_id, k % 2) for k, row in enumerate(rows)]
    kept.telemetry.store([samples(90, *rows, device="d0"), labels(91, *truths, device="d0")])
    decision = illustrated(kept, encode(SIGNED))
    assert set(decision.pictures) == {"drift", "accuracy", "features"}
    [moved] = decision.moved
    assert (moved.feature, moved.ratio) == (FEATURE, 3.0)
    assert sum(moved.live_rows) == 2 * WINDOW_ROWS
    assert len(moved.reference_rows) == len(moved.live_rows) == len(moved.edges) + 1
    drift = drawing(kept, decision, "drift")
    assert ">d0<" in drift
    assert drift.count("<polyline") == 2
    accuracy = drawing(kept, decision, "accuracy")
    assert "by labels" in accuracy
    assert "<polygon" in accuracy
    assert FEATURE in drawing(kept, decision, "features")


def test_the_drawings_stay_when_what_devices_said_is_gone(kept: Parts) -> None:
    told(kept)
    decision = illustrated(kept, encode(SIGNED))
    kept.catalog.put(decision)
    kept.blobs.settle(set(decision.pictures.values()))
    found = kept.catalog.find(Decision, decision.key)
    assert found is not None
    assert drawing(kept, found, "drift")


def test_a_named_device_alone_is_drawn_in_colour(kept: Parts) -> None:
    told(kept)
    drift = drawing(kept, illustrated(kept, encode(SIGNED), devices=["d1"]), "drift")
    assert ">d1<" in drift
    assert ">d0<" not in drift


@pytest.mark.parametrize("manifest", [b"{}", b"\0"], ids=["another", "damaged"])
def test_a_decision_stands_without_pictures_where_there_is_nothing_to_draw_from(
    kept: Parts, manifest: bytes
) -> None:
    told(kept)
    assert illustrated(kept, manifest) == replace(a_decision(), champion=1, at=2e9)


def test_no_report_no_picture(kept: Parts) -> None:
    assert illustrated(kept, encode(SIGNED)).pictures == {}
    assert kept.catalog.find(Version, "rain/1") is not None


@pytest.mark.parametrize(
    "points",
    [[], [Point(0, 1)], [Point(0, 1), Point(1, float("nan"))], [Point(5, 2, 2, 2), Point(5, 2)]],
    ids=["none", "one", "not a number", "all equal"],
)
def test_any_points_give_a_drawing_that_can_be_read(points: list[Point]) -> None:
    data = lines(Words("<t>", "x", "y"), [Series("<s>", points)], limit=1.0)
    ET.fromstring(data)  # noqa: S314  # it was written here
    assert b"nan" not in data
    ET.fromstring(histograms("<h>", [Pair("<f>", "&", [], [], ("", ""))]))  # noqa: S314  # the same
