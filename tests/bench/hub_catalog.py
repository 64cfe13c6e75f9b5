"""The catalog beside default TinyDB, which writes its file in place: one operation at a time."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from tinydb import TinyDB

from fleetloop_hub.records import Decision, Verdict
from fleetloop_hub.storage.catalog import TinyDbCatalog

SIZES = (100, 1_000, 10_000)
REPEATS = 7
TARGETS = {
    "insert": {100: 1.5, 1_000: 0.6, 10_000: 0.25},  # two fsyncs, where TinyDB has one
    "update": {100: 1.5, 1_000: 0.6, 10_000: 0.25},
    "get": {100: 0.5, 1_000: 0.1, 10_000: 0.02},
}

Action = Callable[[int], object]


def run() -> list[dict[str, object]]:
    """Median times of an insert, an update and a get, ours over theirs, taken in turn."""
    return [figure for size in SIZES for figure in _at(size)]


def _at(size: int) -> Iterator[dict[str, object]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalog, theirs = TinyDbCatalog(folder / "ours"), TinyDB(folder / "theirs.json")
        try:
            catalog.put(*(_decision(number) for number in range(size)))
            theirs.insert_multiple(_document(number) for number in range(size))
            for operation, (our, their) in _actions(catalog, theirs, size).items():
                yield _figure(operation, size, our, their)
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


def _figure(operation: str, size: int, our: Action, their: Action) -> dict[str, object]:
    ours_ms, theirs_ms = [], []
    for number in range(REPEATS + 1):
        ours_ms.append(_took_ms(our, number))
        theirs_ms.append(_took_ms(their, number))
    ours, tinydb = (
        statistics.median(taken[1:]) for taken in (ours_ms, theirs_ms)
    )  # one to warm up
    return {
        "metric": f"catalog {operation}, {size:,} documents",
        "value": round(ours / tinydb, 4),
        "unit": "of TinyDB",
        "op": "<=",
        "target": TARGETS[operation][size],
        "peers": {"ours, ms": round(ours, 3), "TinyDB JSONStorage, ms": round(tinydb, 3)},
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
