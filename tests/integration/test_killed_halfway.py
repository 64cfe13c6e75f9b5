"""The hub's own processes are killed half-way: the catalog stands, and the next one works."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.errors import DataError
from fleetloop_hub.records import Dataset, Run, RunState, Version
from support.hubrecords import a_run
from support.hubrig import HubRig, hub_rig
from support.learnable import SPEC, line_text, toy_csv

pytestmark = pytest.mark.integration

PATIENCE_S = 60.0


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    with hub_rig(tmp_path) as made:
        yield made


def wait_for(met: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def standing(rig: HubRig, *but: type) -> list[tuple[str, Mapping[str, Any]]]:
    """What the catalog has, but for some kinds."""
    names = {kind.__name__.lower() for kind in but}
    return [(kind, found) for kind, found in rig.kept.catalog.everything() if kind not in names]


def run_of(rig: HubRig, key: str) -> Run:
    found = rig.kept.catalog.find(Run, key)
    assert found is not None
    return found


def test_a_killed_training_harms_nothing_and_the_next_one_works(
    rig: HubRig, tmp_path: Path
) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv())
    rig.hub.add_model(line_text(), tmp_path)
    first = rig.hub.train("toy", "person", "a test")
    rig.until(lambda: rig.kept.catalog.all(Version))
    [version] = rig.kept.catalog.all(Version)
    rig.look()  # the version is listed now, too
    left = sorted(file.name for file in (tmp_path / "runs" / first).iterdir())
    assert left == ["job.json", "log.txt", "progress.jsonl", "result.json"]
    before, finished = standing(rig, Run, Decision), run_of(rig, first)

    killed = rig.hub.train("toy", "person", "a test")
    assert rig.hub._runs._current is not None
    process = rig.hub._runs._current[2]._child.process
    assert process is not None
    wait_for(lambda: rig.hub.status()["training_share"])
    process.send_signal(signal.SIGKILL)
    rig.until(lambda: run_of(rig, killed).state is not RunState.RUNNING)
    ended = run_of(rig, killed)
    assert ended.state is RunState.FAILED
    assert "ended with code -9 and left no result.json; train again" in str(ended.error)
    assert standing(rig, Run, Decision) == before
    assert run_of(rig, first) == finished
    for sha256 in (version.artifact, version.dataset, *finished.artifacts.values()):
        rig.kept.blobs.get(sha256)  # there, and what it was

    rig.hub.train("toy", "person", "a test")
    rig.until(lambda: len(rig.kept.catalog.all(Version)) == 2)
    assert rig.kept.catalog.all(Version)[0] == version
    assert rig.kept.catalog.all(Version)[1].number == version.number + 1


def test_what_a_cut_has_left_of_an_ended_run_is_cleared_at_the_next_start(
    rig: HubRig, tmp_path: Path
) -> None:
    again = replace(a_run("rain-1"), artifacts={"artifact.onnx": rig.kept.blobs.put(b"model")})
    rig.kept.catalog.put(again)
    folder = tmp_path / "runs" / again.key
    folder.mkdir(parents=True)
    for name in ("artifact.onnx", "encoded.bin", "float.onnx", "log.txt"):
        (folder / name).write_text(name)
    rig.restarted()
    assert {file.name for file in folder.iterdir()} == {"float.onnx", "log.txt"}


def test_a_killed_addition_harms_nothing_and_the_next_one_works(
    rig: HubRig, tmp_path: Path
) -> None:
    source, grown = tmp_path / "toy.csv", toy_csv(500)
    source.write_text(toy_csv())
    rig.hub.add_model(SPEC, tmp_path)
    before = standing(rig)
    [dataset] = rig.kept.catalog.all(Dataset)

    source.unlink()
    os.mkfifo(source)
    told: list[DataError] = []

    def add() -> None:
        with pytest.raises(DataError) as caught:
            rig.hub.add_model(SPEC, tmp_path)
        told.append(caught.value)

    adding = threading.Thread(target=add)
    adding.start()
    pipes: list[int] = []

    def opened() -> bool:
        try:
            pipes.append(os.open(source, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # nobody reads yet
            return False
        return True

    wait_for(opened)
    os.write(pipes[0], grown[: len(grown) // 2].encode())
    *_, work = rig.hub._additions._works.values()
    assert work.process._child.process is not None
    work.process._child.process.send_signal(signal.SIGKILL)
    adding.join(PATIENCE_S)
    os.close(pipes[0])
    [error] = told
    assert "ended with code -9; nothing was stored" in str(error)
    assert standing(rig) == before
    rig.kept.blobs.get(dataset.key)  # there, and what it was

    source.unlink()
    source.write_text(grown)
    rig.hub.add_model(SPEC, tmp_path)
    assert [found.rows for found in rig.kept.catalog.all(Dataset)] == [400, 500]
