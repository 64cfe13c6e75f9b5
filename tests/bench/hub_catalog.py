"""The catalog beside default TinyDB, which writes its file in place: one operation at a time."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from tinydb import TinyDB

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.records import Verdict
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_shared.durable import RealDisk, replace

SIZES = (100, 1_000, 10_000)
REPEATS = {100: 41, 1_000: 41, 10_000: 9}
WRITE_TARGETS = {100: None, 1_000: 1.0, 10_000: 0.25}
"""TinyDB writes in place, with one fsync. A file that is replaced whole needs two, which is all
that counts among few documents, and depends on the disk: there only the floor is a target."""

GET_TARGETS = {100: 0.5, 1_000: 0.1, 10_000: 0.02}
FLOOR_TARGET = 2.0
"""A write beside the least that it can be: the same bytes, put durably in the place of a file."""

Action = Callable[[int], object]
Figure = dict[str, object]


def run() -> list[Figure]:
    """Median times of an insert, an update and a get, ours over theirs, taken in turn."""
    return [figure for size in SIZES for figure in _at(size)]


def _at(size: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalog, theirs = TinyDbCatalog(folder / "ours"), TinyDB(folder / "theirs.json")
        try:
            catalog.put(*(_decision(number) for number in range(size)))
            theirs.insert_multiple(_document(number) for number in range(size))
            for operation, (our, their) in _actions(catalog, theirs, size).items():
                yield from _figures(operation, size, (our, their, _least(folder)))
        finally:
            theirs.close()
            catalog.close()


def _actions(catalog: TinyDbCatalog, theirs: TinyDB, size: int) -> dict[str, tuple[Action, Action]]:
    """The same on both; TinyDB is told the number of the document, which it finds soonest."""
    middle = size // 2

    def insert(number: int) -> None:
        catalog.put(_decision(size + number))

    def update(number: int) -> None:
        catalog.update(Decision, f"d{middle}", lambda _: _decision(middle, f"changed {number}"))

    def get(_: int) -> None:
        assert catalog.find(Decision, f"d{middle}") is not None

    return {
        "insert": (insert, lambda number: theirs.insert(_document(size + number))),
        "update": (
            update,
            lambda number: theirs.update({"outcome": f"changed {number}"}, doc_ids=[middle + 1]),
        ),
        "get": (get, lambda _: theirs.get(doc_id=middle + 1)),
    }


def _least(folder: Path) -> Action:
    """Puts the catalog's bytes durably in the place of a file, and does nothing else."""
    data = (folder / "ours" / "decision.json").read_bytes()
    disk = RealDisk(folder)
    return lambda _: replace(disk, Path("least.json"), data)


def _figures(operation: str, size: int, actions: tuple[Action, Action, Action]) -> Iterator[Figure]:
    taken: list[list[float]] = [[], [], []]
    for number in range(REPEATS[size] + 1):
        for times, action in zip(taken, actions, strict=True):
            times.append(_took_ms(action, number))
    ours, tinydb, least = (statistics.median(times[1:]) for times in taken)  # one to warm up
    write = operation != "get"
    target = (WRITE_TARGETS if write else GET_TARGETS)[size]
    yield {
        "metric": f"catalog {operation}, {size:,} documents",
        "value": round(ours / tinydb, 4),
        "unit": "of TinyDB",
        "op": "<=" if target is not None else "",
        "target": target,
        "peers": {"ours, ms": round(ours, 3), "TinyDB JSONStorage, ms": round(tinydb, 3)},
    }
    if write:
        yield {
            "metric": f"catalog {operation}, {size:,} documents",
            "value": round(ours / least, 2),
            "unit": "of the floor",
            "op": "<=",
            "target": FLOOR_TARGET,
            "peers": {"ours, ms": round(ours, 3), "bytes replaced, ms": round(least, 3)},
        }


def _took_ms(action: Action, number: int) -> float:
    began = time.perf_counter()
    action(number)
    return 1000 * (time.perf_counter() - began)


def _decision(number: int, outcome: str = "") -> Decision:
    """A document of some 420 bytes."""
    return Decision(
        key=f"d{number}",
        model="rain",
        at=1.7e9 + number,
        verdict=Verdict.RETRAIN,
        trigger="drift",
        reasons=["half of the fleet sees drift in temperature_f", "512 labelled rows have come"],
        evidence={"drift_devices": 0.5, "labels": 512.0, "accuracy": 0.81, "devices": 20.0},
        devices=[f"station-{number % 40}", f"station-{number % 37}"],
        outcome=outcome,
    )


def _document(number: int) -> dict[str, object]:
    document: dict[str, object] = msgspec.to_builtins(_decision(number))
    return document
