"""The pages of data, labels and runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from werkzeug.test import TestResponse

from fleetloop_hub.dataset_parts import Fault
from fleetloop_hub.people_records import Role
from fleetloop_hub.records import Dataset, Model, Run, RunState
from fleetloop_hub.web.app import create_app
from fleetloop_shared.codec import encode
from fleetloop_shared.reports import Sample, SampleReport
from support.hubrecords import START, a_run
from support.hubweb import ADMIN, ADMIN_TOKEN, WebHub, fill, web_hub
from support.learnable import SPEC

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with web_hub(tmp_path) as hub:
        fill(hub)
        text = hub.blobs.put(SPEC.replace('"toy"', '"rain"').encode())
        hub.catalog.put(Model(key="rain", spec=text, floor=0, added_at=START))
        yield hub


def send(hub: WebHub, path: str, **form: str) -> TestResponse:
    return hub.client().post(path, data=form, headers=ADMIN)


def sampled(hub: WebHub, *ids: str) -> None:
    samples = [
        Sample(prediction_id=name, at=START + n, values=[1.0, None], score=0.7, label=1, version=1)
        for n, name in enumerate(ids)
    ]
    report = SampleReport(
        device="station-1", boot=1, seq=50, at=START, model="rain", samples=samples
    )
    hub.telemetry.store([("samples", encode(report), report)])


def test_rows_without_a_label_wait_the_newest_first(hub: WebHub) -> None:
    sampled(hub, "station-1.1.7", "station-1.1.8")
    text = hub.client().get("/labels").text
    assert text.index("station-1.1.8") < text.index("station-1.1.7")
    assert "missing" in text
    assert 'method="post"' not in text  # a viewer labels nothing
    form = {"device": "station-1", "prediction_id": "station-1.1.8", "label": "0"}
    assert send(hub, "/labels?model=rain", **form).status_code == 303
    text = hub.client().get("/labels?model=rain").text
    assert "station-1.1.8" not in text
    assert "1 rows of rain have a label" in text
    assert send(hub, "/labels?model=rain", **form | {"label": "1"}).status_code == 409
    assert hub.audit.entries()[-1].action == "tell labels: refused"


def test_rows_without_a_label_and_the_policy_are_there_for_programs_too(hub: WebHub) -> None:
    sampled(hub, "station-1.1.7", "station-1.1.8")
    told = hub.client().get("/api/v1/models/rain/unlabelled?limit=1").get_json()
    assert told["features"] == ["a", "b"]
    assert [row["sample"]["prediction_id"] for row in told["waiting"]] == ["station-1.1.8"]
    policy = hub.client().get("/api/v1/models/rain/policy").get_json()
    assert policy["policy"]["min_labels"] == 500
    assert policy["simulation"] is None
    assert hub.client().get("/api/v1/models/snow/policy").status_code == 404


@pytest.mark.parametrize("label", ["", "rain", "nan", "inf", "1e999", SCRIPT])
def test_what_is_no_label_is_refused(hub: WebHub, label: str) -> None:
    sampled(hub, "station-1.1.7")
    form = {"device": "station-1", "prediction_id": "station-1.1.7", "label": label}
    assert send(hub, "/labels", **form).status_code == 422
    assert hub.telemetry.labelled_count("rain") == (0, 0)


def test_a_label_of_a_row_that_nobody_served_is_refused(hub: WebHub) -> None:
    form = {"device": "nobody", "prediction_id": "nobody.1.7", "label": "1"}
    assert send(hub, "/labels", **form).status_code == 409
    assert hub.client().get("/labels?model=snow").status_code == 404


def test_a_dataset_version_shows_checks_and_sources_as_text(hub: WebHub) -> None:
    (data,) = hub.catalog.all(Dataset)
    faults = [Fault(reason=SCRIPT, rows=5, examples=[f"rain.csv line 3: {SCRIPT}"])]
    hub.catalog.put(replace(data, faults=faults, quarantined_rows=5, labels={"0": 3, "1": 1}))
    for path in ("/data", "/data/rain/dddd"):
        text = hub.client().get(path).text
        assert SCRIPT not in text
        assert "dddddddddddd" in text
    assert "25.0 %" in hub.client().get("/data/rain/dddd").text
    for missing in ("/data/rain/e", "/data/snow/d", "/data/rain/d/against/e"):
        assert hub.client().get(missing).status_code == 404
    assert "d" * 64 in hub.client().get("/data?format=csv").text


def test_runs_are_listed_filtered_ordered_and_exported(hub: WebHub) -> None:
    worse = replace(a_run("rain-run-2"), metrics={"f1": 0.1}, metric="f1", started_at=START + 9)
    failed = replace(a_run("rain-run-3", state=RunState.FAILED), error=SCRIPT)
    better = replace(a_run("rain-run-4"), metrics={"f1": 0.9}, metric="f1")
    hub.catalog.put(worse, failed, better)
    text = hub.client().get("/runs?sort=-metric").text
    assert text.index('"/runs/rain-run-4"') < text.index('"/runs/rain-run-2"')
    assert SCRIPT not in text
    only = hub.client().get("/runs?state=failed").text
    assert "rain-run-3" in only
    assert "rain-run-4" not in only
    told = hub.client().get("/runs?format=json&model=rain").get_json()["runs"]
    assert {"rain-run-2", "rain-run-3"} <= {run["key"] for run in told}
    assert "No run that matches" in hub.client().get("/runs?model=snow").text


def test_runs_stand_side_by_side_by_what_differs(hub: WebHub) -> None:
    hub.catalog.put(replace(a_run("rain-run-2"), seed=4_711), replace(a_run("rain-run-3"), seed=8))
    text = hub.client().get("/runs/compare?run=rain-run-2&run=rain-run-3").text
    assert "4711" in text
    assert "data-plot" in text
    assert '<th scope="row">model</th>' not in text
    whole = hub.client().get("/runs/compare?run=rain-run-2&run=rain-run-3&all=yes").text
    assert '<th scope="row">model</th>' in whole
    assert "Nothing to compare" in hub.client().get("/runs/compare").text
    assert hub.client().get("/runs/compare?run=../etc").status_code == 404


def test_what_is_asked_of_runs_is_asked_of_the_hub(hub: WebHub) -> None:
    assert send(hub, "/runs", model="rain", reason="new rows").status_code == 303
    running = replace(a_run("rain-run-5"), state=RunState.RUNNING)
    hub.catalog.put(running)
    operator = create_app(hub, ADMIN_TOKEN, "127.0.0.1", Role.OPERATOR).test_client()
    assert 'action="/runs/rain-run-5/cancel"' in operator.get("/runs/rain-run-5").text
    assert "/cancel" not in hub.client().get("/runs/rain-run-5").text
    assert send(hub, "/runs/rain-run-5/cancel", confirm="x").status_code == 422
    assert send(hub, "/runs/rain-run-5/cancel", confirm="rain-run-5").status_code == 303
    assert send(hub, "/runs/rain-run-5/allow", reason="seen").status_code == 303
    assert send(hub, "/runs/nobody/cancel", confirm="nobody").status_code == 404
    assert send(hub, "/runs/rain-run-5/explode").status_code == 404
    assert [asked[0] for asked in hub.actions.asked] == ["train", "cancel", "allow"]


def test_a_plot_that_there_is_not_is_not_found(hub: WebHub) -> None:
    running = replace(a_run("rain-run-5"), state=RunState.RUNNING)
    hub.catalog.put(running)
    assert hub.catalog.find(Run, "rain-run-5") == running
    assert hub.client().get("/runs/rain-run-5/plots/roc.svg").status_code == 404
