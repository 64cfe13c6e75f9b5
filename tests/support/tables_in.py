"""The same small table in every form that a source can have, and versions built from them."""

import gzip
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from fleetloop_hub.data import build, keeping
from fleetloop_hub.data.finish import Built
from fleetloop_hub.records import Dataset
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.storage.blobs import FileBlobs

Row = dict[str, Any]

COLUMNS = """
[rows]
time = "t"
[label]
column = "y"
[[features]]
name = "a"
[[features]]
name = "place"
kind = "category"
categories = ["1", "2", "hill"]
[[candidates]]
name = "line"
family = "linear"
"""


def spec_of(source: str, columns: str = COLUMNS, task: str = "classification") -> ModelSpec:
    """A spec with this source."""
    return parse(f'[model]\nname = "toy"\ntask = "{task}"\n[[sources]]\n{source}\n{columns}')


def rows_up_to(count: int) -> list[Row]:
    """Rows whose values tell their place."""
    places = ["1", "hill", None, "9"]
    return [
        {"t": n, "a": None if n % 5 == 4 else n / 2, "place": places[n % 4], "y": n % 2}
        for n in range(count)
    ]


def write_csv(path: Path, rows: list[Row]) -> None:
    """With a header."""
    lines = [",".join("" if v is None else str(v) for v in row.values()) for row in rows]
    path.write_text("\n".join([",".join(rows[0]), *lines]) + "\n", "utf-8")


def write_gzip(path: Path, rows: list[Row]) -> None:
    """A packed CSV file."""
    write_csv(path, rows)
    path.write_bytes(gzip.compress(path.read_bytes()))


def write_jsonl(path: Path, rows: list[Row]) -> None:
    """An object a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def write_parquet(path: Path, rows: list[Row]) -> None:
    """With types of its own."""
    pq.write_table(pa.Table.from_pylist(rows), path)


def write_sqlite(path: Path, rows: list[Row]) -> None:
    """A table of that name."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE IF NOT EXISTS toy (t INT, a REAL, place TEXT, y INT)")
        have = database.execute("SELECT count(*) FROM toy").fetchone()[0]
        database.executemany("INSERT INTO toy VALUES (:t, :a, :place, :y)", rows[have:])
    database.close()


SOURCES: dict[str, tuple[str, Callable[[Path, list[Row]], None], str]] = {
    "csv": ("toy.csv", write_csv, 'csv = "toy.csv"'),
    "gzip": ("toy.csv.gz", write_gzip, 'csv = "toy.csv.gz"'),
    "jsonl": ("toy.jsonl", write_jsonl, 'jsonl = "toy.jsonl"'),
    "parquet": ("toy.parquet", write_parquet, 'parquet = "toy.parquet"'),
    "query": (
        "toy.db",
        write_sqlite,
        'query = "SELECT * FROM toy WHERE t > :since ORDER BY t"\ndatabase = "sqlite:///toy.db"',
    ),
}


class Shelf:
    """A folder with sources, and the versions that were made of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = FileBlobs(folder / "blobs")
        self.versions: list[Dataset] = []

    def add(self, spec: ModelSpec) -> Dataset | None:
        """Add what is new."""
        before = keeping.before(self.versions[-1], self.blobs) if self.versions else None
        work = self.folder / "work"
        built = build.from_sources(spec, self.folder, work, before, lambda share, text: None)
        return None if built is None else self.keep(built)

    def keep(self, built: Built) -> Dataset:
        """Keep a version that was built."""
        made = keeping.keep(built, self.blobs, float(len(self.versions) + 1))
        self.versions.append(made)
        return made

    def table(self, dataset: Dataset) -> pa.Table:
        """A version's rows."""
        return pq.read_table(self.blobs.path(dataset.key))
