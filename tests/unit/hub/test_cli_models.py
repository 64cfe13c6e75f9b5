"""`fleetloop models ...`: where versions come from, what they are called, and what is given up."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from msgspec.structs import replace

from fleetloop_hub.cli.options import DEFAULT_DIR
from fleetloop_hub.cli.run_files import _card, _version
from fleetloop_hub.dataset_parts import SourceMark
from fleetloop_hub.fleet_records import RolloutState
from fleetloop_hub.records import Alias, Dataset, Model, RunState, Version, VersionState
from fleetloop_hub.remote import find_hub
from fleetloop_shared.ids import sha256_hex
from support.commands import Run, a_refusal, listening_hub, runner
from support.hubrecords import START, a_rollout, a_run, a_version
from support.hubweb import WebHub, show_up
from support.learnable import SPEC


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


def data(key: str, parent: str | None, *marks: SourceMark) -> Dataset:
    return Dataset(
        key=key,
        model="rain",
        source="rain.csv",
        rows=2_000,
        positives=500,
        quarantined={},
        parent=parent,
        created_at=START,
        sources=list(marks),
    )


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    """Five versions: the fifth is the champion on the device, which may go back to the third."""
    with listening_hub(tmp_path) as hub:
        first = SourceMark(words="winters.csv", sha256="a" * 64, bytes=9, rows=1_500)
        second = SourceMark(words="summers.csv", sha256="b" * 64, bytes=9, rows=500)
        hub.catalog.put(data("1" * 64, None, first), data("d" * 64, "1" * 64, first, second))
        for number in range(1, 6):
            put = {
                "artifact": hub.blobs.put(f"artifact {number}".encode() * 100),
                "manifest": hub.blobs.put(f"manifest {number}".encode()),
                "transport": hub.blobs.put(f"transport {number}".encode()),
            }
            log = hub.blobs.put(f"log {number}".encode())
            made = replace(
                a_run(f"run-{number}"), artifacts={"log.txt": log}, asked_by="ann", reason="why not"
            )
            hub.catalog.put(made, replace(a_version(number, run=f"run-{number}"), **put))
        hub.catalog.put(
            Alias(key="rain/champion", version=5),
            Alias(key="rain/previous", version=4),
            Alias(key="snow/champion", version=1),
            Model(key="rain", spec=hub.blobs.put(SPEC.encode()), floor=0, added_at=0.0),
        )
        slots = [version(hub, number).artifact for number in (5, 3)]
        show_up(hub.telemetry, artifact=slots[0], version=5, slots=slots)
        yield hub


def version(hub: WebHub, number: int) -> Version:
    found = hub.catalog.find(Version, f"rain/{number}")
    assert found is not None
    return found


def test_lineage_leads_from_the_source_file_to_the_device(run: Run, hub: WebHub) -> None:
    told = run("models", "lineage", "rain@champion").out
    order = [
        "version rain/5, ready, champion",
        "run run-5",
        "ann: why not",
        "dataset version dddddddddddd, 2,000 rows",
        "summers.csv, SHA-256 bbbbbbbbbbbb, 500 rows",
        "dataset version 111111111111",
        "winters.csv, SHA-256 aaaaaaaaaaaa",
        "station-1 runs it",
    ]
    places = [told.find(words) for words in order]
    assert -1 not in places
    assert places == sorted(places)
    assert told.count("winters.csv") == 1
    assert "station-1 may go back to it" in run("models", "lineage", "rain@3").out
    [found] = json.loads(run("models", "lineage", "rain@5", "--json").out)
    assert [rows["key"] for rows in found["datasets"]] == ["d" * 64, "1" * 64]
    assert len(json.loads(run("models", "lineage", "rain", "--json").out)) == 5


def test_lineage_is_drawn_as_well_formed_svg(run: Run, hub: WebHub, tmp_path: Path) -> None:
    hub.catalog.put(replace(a_run("run-5"), reason="a < b & c", asked_by="ann"))
    assert run("models", "lineage", "rain", "--svg", "out/rain.svg").code == 0
    root = ET.fromstring((tmp_path / "out" / "rain.svg").read_text())  # noqa: S314  # our own file
    texts = [t.text for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"winters.csv", "run-5", "rain v5", "station-1", "devices"} <= set(texts)
    assert texts.count("winters.csv") == 1
    assert "ann: a < b & c" in texts


def test_show_tells_hashes_gates_and_where_it_is(run: Run, hub: WebHub) -> None:
    told = run("models", "show", "rain@5").out
    for words in (version(hub, 5).artifact, "champion", "station-1", "floor", "balanced accuracy"):
        assert words in told
    assert json.loads(run("models", "show", "rain@newest", "--json").out)["number"] == 5


def test_without_a_number_the_last_version_is_shown_and_newest_is_the_last_signed(
    run: Run, hub: WebHub
) -> None:
    hub.catalog.put(a_version(6, run="run-5", passes=False))
    for command, number in (("rain", 6), ("rain@newest", 5), ("rain@champion", 5)):
        assert json.loads(run("models", "show", command, "--json").out)["number"] == number
        assert json.loads(run("why", command, "--json").out)["version"] == number
    assert "there is no model hail; there are: rain" in a_refusal(run("models", "show", "hail"))


def test_an_alias_moves_but_the_champion_is_moved_by_rollouts_alone(run: Run, hub: WebHub) -> None:
    assert "rain@golden is version 2 now" in run("models", "alias", "rain@2", "golden").out
    run("models", "alias", "rain@3", "golden")
    assert "golden" in run("models", "show", "rain@3").out
    assert "golden" not in run("models", "show", "rain@2").out
    assert "fleetloop rollouts start rain@2" in a_refusal(
        run("models", "alias", "rain@2", "champion")
    )
    for name in ("Golden", "a/b", "", "x" * 33):
        assert "letters" in a_refusal(run("models", "alias", "rain@2", name))
    assert "there are: " in a_refusal(run("models", "alias", "rain@9", "golden"))


def test_a_tag_comes_changes_and_goes(run: Run, hub: WebHub) -> None:
    assert "note=good" in run("models", "tag", "rain@2", "note=good").out
    run("models", "tag", "rain@2", "note=bad")
    assert version(hub, 2).tags == {"note": "bad"}
    assert "none" in run("models", "tag", "rain@2", "note=").out
    for note in ("note", "No=1", "note=" + "x" * 501):
        assert a_refusal(run("models", "tag", "rain@2", note))


def test_download_is_checked_against_the_hashes(run: Run, hub: WebHub, tmp_path: Path) -> None:
    assert run("models", "download", "rain@5").code == 0
    artifact = (tmp_path / "rain-5" / "model.onnx").read_bytes()
    assert sha256_hex(artifact) == version(hub, 5).artifact
    assert (tmp_path / "rain-5" / "manifest.json").read_bytes() == b"manifest 5"
    told = json.loads(run("models", "download", "rain@4", "--out", "x", "--json").out)
    card = (tmp_path / "x" / "card.md").read_bytes()
    assert b"rain" in card
    assert card == hub.client().get("/api/v1/versions/rain/4/card.md").data
    assert told == {
        "model.onnx": version(hub, 4).artifact,
        "manifest.json": version(hub, 4).manifest,
        "card.md": sha256_hex(card),
    }


def test_a_copy_of_a_run_has_the_card_of_the_version_that_came_of_it(run: Run, hub: WebHub) -> None:
    remote = find_hub(DEFAULT_DIR, None, change=False)
    told = hub.client().get("/api/v1/versions/rain/4/card.md").data
    assert _card(remote, _version(remote, "run-4")) == {"card.md": told}
    assert _card(remote, _version(remote, "run-9")) == {}


@pytest.mark.parametrize(
    ("number", "says"),
    [(5, "it is the champion"), (4, "it is the previous"), (3, "station-1 may go back to it")],
)
def test_what_is_in_use_cannot_be_archived(run: Run, hub: WebHub, number: int, says: str) -> None:
    assert says in a_refusal(run("models", "archive", f"rain@{number}"))
    assert version(hub, number).state is VersionState.READY


def test_what_is_rolled_out_cannot_be_archived_until_that_has_ended(run: Run, hub: WebHub) -> None:
    hub.catalog.put(replace(a_rollout(), version=1))
    assert "rollout-1 is about it" in a_refusal(run("models", "archive", "rain@1"))
    hub.catalog.put(replace(a_rollout(state=RolloutState.REVERTED), version=1))
    assert "rain/1 is archived" in run("models", "archive", "rain@1").out
    assert version(hub, 1).state is VersionState.ARCHIVED


def test_retention_is_told_first_and_done_only_if_asked(run: Run, hub: WebHub) -> None:
    run("models", "alias", "rain@1", "golden")
    told = run("models", "retain", "rain", "--keep", "1").out
    assert "rain/4 stays: it is the previous" in told
    assert "rain/3 stays: station-1 may go back to it" in told
    assert "rain/1 stays: it is the golden" in told
    assert "would be deleted: rain/2" in told
    assert "--yes" in told
    assert "rain/2, which is given up: artifact, artifact as it travels, signed manifest (3" in told
    assert "run-2, which is no longer needed: log.txt (1 file, " in told
    second = version(hub, 2)
    assert hub.blobs.has(second.artifact)
    done = json.loads(run("models", "retain", "rain", "--keep", "1", "--yes", "--json").out)
    assert (done["deleted"], done["swept"], done["done"]) == (["rain/2"], ["run-2"], True)
    assert done["contents"] == 4
    assert [(f["owner"], f["why"], f["names"]) for f in done["freed"]] == [
        ("rain/2", "deleted", ["artifact", "artifact as it travels", "signed manifest"]),
        ("run-2", "finished", ["log.txt"]),
    ]
    assert done["freed_bytes"] > 1_000
    assert version(hub, 2).state is VersionState.DELETED
    assert not hub.blobs.has(second.artifact)
    for number in (1, 3, 4, 5):
        assert hub.blobs.has(version(hub, number).artifact)
    assert "is deleted" in a_refusal(run("models", "download", "rain@2"))
    assert "is deleted" in a_refusal(run("models", "alias", "rain@2", "golden"))
    assert "no model 'hail'" in a_refusal(run("models", "retain", "hail", "--keep", "1"))


def test_retention_tells_of_files_of_failed_runs_and_of_nobody(run: Run, hub: WebHub) -> None:
    log = hub.blobs.put(b"it broke")
    failed = replace(a_run("run-9", state=RunState.FAILED), artifacts={"log.txt": log})
    orphan = hub.blobs.put(b"left by a crash")
    hub.blobs.settle([orphan])
    hub.catalog.put(failed)
    told = run("models", "retain", "rain", "--keep", "0").out
    assert "run-9, which failed: log.txt (1 file, 8 B)" in told
    assert "nothing in the whole hub refers to: 1 file, 15 B" in told


def test_only_what_is_done_is_in_the_audit_log(run: Run, hub: WebHub) -> None:
    run("models", "retain", "rain", "--keep", "1")
    assert hub.audit.entries() == []
    run("models", "retain", "rain", "--keep", "1", "--yes")
    assert [e.action for e in hub.audit.entries()] == ["give up old versions"]


def test_a_name_that_is_no_version_is_told(run: Run, hub: WebHub) -> None:
    for name in ("rain@", "ra/in@1"):
        assert "write MODEL@V" in a_refusal(run("models", "show", name))
    assert "there is no model hail; there are: rain" in a_refusal(run("models", "show", "hail@1"))
    assert "fleetloop models" in a_refusal(run("models", "lineage", "hail"))
