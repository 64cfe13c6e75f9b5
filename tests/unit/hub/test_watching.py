"""Watching a run from the command line: the end, and what Ctrl-C is asked about."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from fleetloop_hub.cli import watching
from fleetloop_hub.records import RunState
from fleetloop_hub.remote import find_hub
from support.commands import listening_hub
from support.hubrecords import a_run
from support.hubweb import WebHub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as listening:
        listening.catalog.put(a_run("rain-1", state=RunState.RUNNING))
        yield listening


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], int]:
    """Watch a run, press Ctrl-C as soon as nothing has come, and answer; gives the exit code."""

    def watch(answer: str) -> int:
        presses = iter([True, False])

        def sleep(_s: float) -> None:
            if next(presses):
                raise KeyboardInterrupt
            raise AssertionError("it is watched on")

        monkeypatch.setattr("fleetloop_hub.cli.watching.time.sleep", sleep)
        monkeypatch.setattr("fleetloop_hub.cli.watching.typer.prompt", lambda *a, **k: answer)
        remote = find_hub(tmp_path / ".state" / "hub", None, change=True)
        with pytest.raises(typer.Exit) as left:
            watching.watch(remote, "rain-1")
        return left.value.exit_code

    return watch


def test_interrupted_run_goes_on_unless_it_is_cancelled(
    hub: WebHub, interrupted: Callable[[str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert interrupted("l") == 1
    assert hub.actions.asked == []
    assert "rain-1 goes on at the hub" in " ".join(capsys.readouterr().err.split())
    assert interrupted("c") == 1
    assert hub.actions.asked[0][:2] == ("cancel", "rain-1")
    with pytest.raises(AssertionError, match="it is watched on"):
        interrupted("w")


def test_run_that_has_ended_is_handed_over(hub: WebHub, tmp_path: Path) -> None:
    hub.catalog.put(a_run("rain-1", state=RunState.CANCELLED))
    remote = find_hub(tmp_path / ".state" / "hub", None, change=True)
    assert watching.watch(remote, "rain-1").state is RunState.CANCELLED
