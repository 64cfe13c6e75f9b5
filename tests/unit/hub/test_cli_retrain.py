"""What a person says to retrainings on the command line, down to what the hub is asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleetloop_hub.records import RunState
from support.commands import Run, listening_hub, runner
from support.hubrecords import a_run
from support.hubweb import WebHub


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as hub:
        yield hub


def test_run_that_waits_is_agreed_to_by_its_model_s_name(run: Run, hub: WebHub) -> None:
    words = ("--by", "ann", "--reason", "it is time")
    none = run("retrain", "approve", "rain", *words)
    assert none.code != 0
    hub.catalog.put(a_run("rain-run-8", state=RunState.WAITING))
    assert run("retrain", "approve", "rain", *words).code == 0
    assert ("allow", "rain-run-8", "ann", "it is time") in hub.actions.asked


def test_run_that_waits_is_turned_down(run: Run, hub: WebHub) -> None:
    hub.catalog.put(a_run("rain-run-8", state=RunState.WAITING))
    assert run("retrain", "reject", "rain-run-8", "--by", "ann").code == 0
    assert ("cancel", "rain-run-8", "ann") in hub.actions.asked
