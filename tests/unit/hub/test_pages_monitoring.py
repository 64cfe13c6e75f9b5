"""The pages of monitoring: where drift is, a feature then and now, accuracy and groups."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.records import Model, VersionState
from fleetloop_shared.codec import encode, encode_compressed
from fleetloop_shared.reports import ProfileReport
from support.examples import MANIFEST, PROFILE
from support.hubrecords import START, a_device, a_drift, a_version
from support.hubweb import WebHub, fill, show_up, tell, web_hub
from support.learnable import SPEC

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        fill(hub)
        text = hub.blobs.put(SPEC.replace('"toy"', '"rain"').encode())
        manifest = hub.blobs.put(encode(replace(MANIFEST, version=1)))
        released = replace(a_version(state=VersionState.RELEASED), manifest=manifest)
        hub.catalog.put(Model(key="rain", spec=text, floor=0, added_at=START), released)
        hub.catalog.put(a_device("station-2"))
        show_up(hub.telemetry, "station-2")
        tell(hub.telemetry, a_drift(7, 3.25, device="station-2"))
        yield hub


def window(hub: WebHub, seq: int) -> None:
    report = ProfileReport(
        device="station-1",
        boot=1,
        seq=seq,
        at=START,
        model="rain",
        version=1,
        first_row=1,
        profile=PROFILE,
    )
    hub.telemetry.store([("profile", encode_compressed(report), report)])


def test_the_hottest_feature_and_the_furthest_device_come_first(hub: WebHub) -> None:
    text = hub.client().get("/monitoring").text
    assert text.index(">station-2</a>") < text.index(">station-1</a>")
    assert 'class="heat-8 over" title="temperature on station-2">3.2<' in text
    assert 'href="/monitoring/rain/temperature?version=1"' in text
    assert text.index("temperature</a>") < text.index("the score")
    told = hub.client().get("/monitoring?format=csv").text.splitlines()
    assert told[:2] == ["feature,station-2,station-1", "temperature,3.25,0.5"]


def test_nothing_is_said_of_who_serves_something_else(hub: WebHub) -> None:
    assert "No device has reported a whole window" in hub.client().get("/monitoring?version=2").text
    assert "No device has reported" in hub.client().get("/monitoring?cohort=other").text
    assert hub.client().get("/monitoring?model=snow").status_code == 404
    assert hub.client().get("/monitoring?version=x&page=999").status_code == 200


def test_a_feature_is_shown_then_and_now_over_the_last_windows(hub: WebHub) -> None:
    assert "No window of rows" in hub.client().get("/monitoring/rain/t").text
    window(hub, 20)
    window(hub, 21)
    path = "/monitoring/rain/t?device=station-1&windows=2"
    text = hub.client().get(path).text
    assert "8 rows served by station-1" in text
    assert "The last 2 of 2 windows" in text
    for share in ("40.0 %", "60.0 %", "25.0 %", "75.0 %"):
        assert share in text, share
    assert "4 rows served by" in hub.client().get("/monitoring/rain/t").text


@pytest.mark.parametrize(
    "path",
    [
        "/monitoring/rain/nothing",
        "/monitoring/snow/t",
        "/monitoring/rain/t?version=9",
        "/monitoring/rain/t?device=nobody",
        f"/monitoring/rain/{SCRIPT}",
    ],
)
def test_what_there_is_not_is_not_found(hub: WebHub, path: str) -> None:
    window(hub, 20)
    answer = hub.client().get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert SCRIPT not in answer.text


def test_accuracy_and_groups_of_a_version_have_their_place(hub: WebHub) -> None:
    for path in ("/accuracy/rain/1", "/fairness/rain/1", "/fairness"):
        text = hub.client().get(path).text
        assert "rain v1" in text
        assert 'aria-current="page"' in text
