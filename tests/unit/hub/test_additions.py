"""Adding data in a process of its own: whatever ends it, the catalog and its versions stand."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleetloop_hub.child import Failure
from fleetloop_hub.data import build, datasets, keeping
from fleetloop_hub.data.additions import Additions
from fleetloop_hub.data.job import Job
from fleetloop_hub.data.process import DataProcess
from fleetloop_hub.errors import AbsentError, BlobError, DataError, SpecError, TrainingError
from fleetloop_hub.records import Dataset, Model
from fleetloop_shared.errors import DiskFullError
from support.hubparts import Parts, parts
from support.learnable import SPEC, labelled, toy_csv, toy_dataset, toy_spec

PATIENCE_S = 60.0


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Parts]:
    with parts(tmp_path / "state") as made:
        yield made


@pytest.fixture
def additions(kept: Parts, tmp_path: Path) -> Iterator[Additions]:
    made = Additions(kept.catalog, kept.blobs, tmp_path / "data")
    yield made
    made.stop()


def test_what_is_new_is_added_once_and_the_spec_becomes_the_models(
    additions: Additions, kept: Parts, tmp_path: Path
) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv(), "utf-8")
    first = additions.wait(additions.start(SPEC, tmp_path).key)
    assert first.dataset is not None
    assert (first.grown, first.dataset.rows) == (True, 400)
    other = SPEC.replace("seed = 3", "seed = 4")
    again = additions.wait(additions.start(other, tmp_path).key)
    assert (again.grown, again.dataset) == (False, first.dataset)
    model = kept.catalog.find(Model, "toy")
    assert model is not None
    assert kept.blobs.get(model.spec).decode() == other
    assert kept.catalog.all(Dataset) == [first.dataset]
    assert not list((tmp_path / "data").rglob("*.*")), "what it was built in is cleared"
    with pytest.raises(SpecError):
        additions.start("[model]", tmp_path)
    with pytest.raises(AbsentError, match="no addition 'x' since the hub was started"):
        additions.look("x")


def test_sources_that_cannot_be_used_leave_everything_as_it_was(
    additions: Additions, kept: Parts, tmp_path: Path
) -> None:
    (tmp_path / "toy.csv").write_text("t;a;b;y\n1;2;3;0\n", "utf-8")
    with pytest.raises(DataError, match='write delimiter = ";"'):
        additions.wait(additions.start(SPEC, tmp_path).key)
    assert kept.catalog.all(Dataset) == []
    assert kept.catalog.all(Model) == []
    with pytest.raises(TrainingError, match="no model 'toy'"):
        datasets.newest(kept.catalog, "toy")


def test_one_that_is_killed_leaves_everything_as_it_was(
    additions: Additions, kept: Parts, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "toy.csv")  # whoever reads it waits
    begun = additions.start(SPEC, tmp_path)
    with pytest.raises(DataError, match=r"rows of toy are being added: wait"):
        additions.start(SPEC, tmp_path)
    deadline = time.monotonic() + PATIENCE_S
    process = additions._works[begun.key].process
    while process._child.process is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process._child.process.send_signal(signal.SIGKILL)
    with pytest.raises(DataError, match=r"ended with code -9; nothing was stored"):
        additions.wait(begun.key)
    assert kept.catalog.all(Dataset) == []


def test_a_growth_is_handed_over_once_and_a_failed_one_is_told_once(
    additions: Additions, kept: Parts, tmp_path: Path
) -> None:
    parent = toy_dataset(kept.blobs, tmp_path)
    kept.catalog.put(parent)

    def grown() -> Dataset:
        deadline = time.monotonic() + PATIENCE_S
        while (found := additions.grow("toy", SPEC, [labelled("s", 1, [1.0, 2.0], 1)])) is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return found

    assert additions.grow("toy", SPEC, []) is None
    left = additions._growths["toy"]
    assert left.done.wait(PATIENCE_S)
    left.ended_at -= 3_600.0  # nobody has asked for it since
    made = grown()
    assert (made.parent, made.rows) == (parent.key, 401)
    assert datasets.newest(kept.catalog, "toy") == made
    kept.blobs.path(made.key).unlink()
    with pytest.raises(DataError, match=r"toy cannot be trained on new rows: there is no content"):
        grown()
    assert additions.grow("toy", SPEC, []) is None
    assert datasets.newest(kept.catalog, "toy") == made


@pytest.mark.parametrize("file", ["staging.arrow", "rows.parquet", "quarantine.parquet"])
def test_a_full_disk_leaves_everything_as_it_was(kept: Parts, tmp_path: Path, file: str) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv() + "x,1,1,1\n", "utf-8")
    work = tmp_path / "work"
    work.mkdir()
    (work / file).symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match="free some space; nothing was harmed"):
        build.from_sources(toy_spec(), tmp_path, work, None, lambda share, text: None)
    assert kept.catalog.all(Dataset) == []


def test_a_file_that_is_not_what_was_built_is_not_kept(kept: Parts, tmp_path: Path) -> None:
    (tmp_path / "toy.csv").write_text(toy_csv(), "utf-8")
    built = build.from_sources(toy_spec(), tmp_path, tmp_path / "work", None, lambda s, t: None)
    assert built is not None
    built.rows.unlink()
    with pytest.raises(BlobError, match="cannot be read"):
        keeping.keep(built, kept.blobs, 1.0)


def test_a_version_is_found_by_model_or_by_the_beginning_of_its_key(
    kept: Parts, tmp_path: Path
) -> None:
    made = toy_dataset(kept.blobs, tmp_path)
    kept.catalog.put(made)
    assert datasets.find(kept.catalog, "toy") == made
    assert datasets.find(kept.catalog, made.key[:6]) == made
    for name in ("", "zz", "toys"):
        with pytest.raises(AbsentError, match="no dataset version begins"):
            datasets.find(kept.catalog, name)


def test_what_unpacks_to_more_than_memory_holds_is_refused(kept: Parts, tmp_path: Path) -> None:
    """A bomb whose footer tells little: one long text, which 50,000 rows point to."""
    rows = 50_000
    long = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), ["x" * 2**20])
    numbers = pa.array(range(rows))
    table = pa.table({"t": numbers, "a": long, "b": numbers, "y": numbers})
    pq.write_table(table, tmp_path / "toy.parquet")
    assert (tmp_path / "toy.parquet").stat().st_size < 2_000_000
    spec = SPEC.replace('csv = "toy.csv"', 'parquet = "toy.parquet"')
    process = DataProcess(tmp_path / "work")
    process.start(Job(spec=spec, folder=str(tmp_path), before=None, files=None, memory_bytes=2**30))
    outcome = process.wait()
    assert isinstance(outcome, Failure)
    assert "more than this machine's memory holds; nothing was stored" in outcome.text
