"""A run done again in a training process of its own, as the hub does it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.records import Run, RunState, Version
from support.hubrig import HubRig, hub_rig
from support.learnable import line_text, toy_csv

pytestmark = pytest.mark.integration


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[HubRig]:
    (tmp_path / "toy.csv").write_text(toy_csv())
    with hub_rig(tmp_path) as made:
        made.hub.add_model(line_text(), tmp_path)
        yield made


def ended(rig: HubRig, key: str) -> Run:
    def run() -> Run:
        found = rig.kept.catalog.find(Run, key)
        assert found is not None
        return found

    rig.until(lambda: run().state is not RunState.RUNNING)
    return run()


def test_a_run_gives_the_same_bytes_again_and_never_a_second_version(rig: HubRig) -> None:
    first = ended(rig, rig.hub.train("toy", "person", "to see", "ann"))
    assert first.state is RunState.FINISHED
    assert (first.asked_by, first.reason, first.number) == ("ann", "to see", 1)
    assert rig.kept.blobs.get(first.artifacts["spec.toml"]) == line_text().encode()
    again = ended(rig, rig.hub.reproduce(first.key, "ben"))
    assert again.reproduces == first.key
    assert again.reproduction is not None
    assert again.reproduction.differences == []
    assert again.reproduction.equal
    assert [v.run for v in rig.kept.catalog.all(Version)] == [first.key]
    assert rig.hub.status()["training"] is None


def test_a_run_that_cannot_be_done_again_says_so_in_its_record(rig: HubRig) -> None:
    first = ended(rig, rig.hub.train("toy", "person", "to see"))
    spoiled = line_text() + "[budget]\nartifact_bytes = 10\n"
    rig.kept.catalog.put(replace(first, spec=rig.kept.blobs.put(spoiled.encode())))
    again = ended(rig, rig.hub.reproduce(first.key, "ben"))
    assert again.state is RunState.FAILED
    assert again.error is not None
    assert "no candidate fits the budget" in again.error
    assert len(rig.kept.catalog.all(Version)) == 1


def test_a_killed_run_keeps_its_log(rig: HubRig) -> None:
    key = rig.hub.train("toy", "person", "to see")
    current = rig.hub._runs._current
    assert current is not None
    process = current[2]._child.process
    assert process is not None
    process.kill()
    failed = ended(rig, key)
    assert failed.state is RunState.FAILED
    assert failed.duration_s > 0
    assert set(failed.artifacts) >= {"spec.toml", "log.txt"}
