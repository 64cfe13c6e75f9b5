"""The commands with which people speak to versions and read the audit log."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from fleetloop_hub.records import Version, VersionState
from fleetloop_hub.storage.audit import LOG
from fleetloop_shared.codec import encode
from support.commands import Run, listening_hub, runner
from support.examples import MANIFEST
from support.hubrecords import a_gate, a_version
from support.hubweb import WebHub


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with listening_hub(tmp_path) as made:
        version = replace(
            a_version(3),
            gates=[a_gate(), a_gate("latency", passed=False)],
            state=VersionState.BLOCKED,
            manifest=None,
            unsigned=made.blobs.put(encode(MANIFEST)),
            needs_approval=True,
        )
        made.catalog.put(version)
        yield made


@pytest.fixture
def run(
    hub: WebHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Run:
    return runner(monkeypatch, capsys, tmp_path)


WHO = ("--by", "ann", "--reason", "measured on the device")


def test_a_blocked_version_is_waived_approved_and_found_in_the_log(hub: WebHub, run: Run) -> None:
    refused = run("approve", "rain@3", *WHO)
    assert refused.code != 0
    assert "is blocked by latency" in refused.err
    waived = run("waive", "rain@3", "--gate", "latency", *WHO)
    assert "rain@3 is waiting: it waits for `fleetloop approve rain@3" in waived.out
    approved = run("approve", "rain@3", *WHO)
    assert "rain@3 is ready: fleetloop rollouts start rain@3" in approved.out
    log = run("audit").out
    assert "waive latency" in log
    assert "measured on the device" in log
    told = json.loads(run("audit", "--json").out)
    assert [e["action"] for e in told["entries"]] == ["waive", "approve"]
    found = hub.catalog.find(Version, "rain/3")
    assert found is not None
    assert found.approvals[-1].audit == told["last"]
    assert f"hash is {told['last']}" in run("audit", "--verify").out


def test_a_rejection_is_final(run: Run) -> None:
    assert "rain@3 is rejected" in run("reject", "rain@3", *WHO).out
    again = run("waive", "rain@3", "--gate", "latency", *WHO)
    assert again.code != 0
    assert "nothing can be said to it any more" in again.err


def test_a_changed_log_is_told(run: Run, tmp_path: Path) -> None:
    run("reject", "rain@3", *WHO)
    path = tmp_path / ".state" / "hub" / LOG
    path.write_bytes(path.read_bytes().replace(b"ann", b"bob"))
    told = run("audit", "--verify")
    assert told.code != 0
    assert "the audit log was changed or damaged: line 1" in told.err


def test_what_is_no_version_is_said_and_an_empty_log_too(run: Run) -> None:
    told = run("approve", "rain", *WHO)
    assert told.code != 0
    assert "write MODEL@VERSION" in told.err
    assert "Nobody has done anything yet." in run("audit").out
