"""Writers killed with SIGKILL: no file is ever unreadable, nothing acknowledged is lost."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import support
from fleetloop_hub.fleet_records import Cohort
from fleetloop_hub.records import Alias, Model
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.storage.telemetry import SqliteTelemetry


def _killed(writer: str, folder: Path, rounds: int) -> Iterator[int]:
    """The last number that each killed writer had acknowledged."""
    tests = Path(support.__file__ or "").parent.parent
    command = [sys.executable, "-m", "support.killed_writer", writer, str(folder), str(rounds)]
    with subprocess.Popen(
        command, cwd=tests, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(rounds):
            yield int(process.stdout.readline())
            process.stdin.write("\n")
            process.stdin.flush()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: ten times as many writes between two kills.

    A killed process leaves what it has written to the system, synced or not, so memory shows all
    that a disk would; what a power cut leaves is another test's.
    """
    memory = Path("/dev/shm")  # noqa: S108  # Linux has it; the folder in it is ours alone
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


def test_a_catalog_survives_two_hundred_kills(folder: Path) -> None:
    kills = 0
    for acknowledged in _killed("catalog", folder, 200):
        kills += 1
        catalog = TinyDbCatalog(folder)
        sequences = {c.key: c.sequence for c in catalog.all(Cohort)}
        versions = {a.key: a.version for a in catalog.all(Alias)}
        model = catalog.find(Model, "m")
        catalog.close()
        assert sequences == versions
        last = max(sequences.values())
        assert last in {acknowledged, acknowledged + 1}
        assert sorted(sequences.values()) == list(range(max(1, last - 6), last + 1))
        assert model is not None
        assert model.floor in {acknowledged, last}
    assert kills == 200


def test_telemetry_survives_kills(tmp_path: Path) -> None:
    for acknowledged in _killed("telemetry", tmp_path, 10):
        telemetry = SqliteTelemetry(tmp_path / "telemetry.db")
        count = telemetry.report_count()
        reports = telemetry.reports("labels", limit=10_000)
        telemetry.close()
        assert count in {acknowledged, acknowledged + 1}
        assert [r.report.seq for r in reports] == list(range(1, count + 1))
