"""Writers that are killed with SIGKILL in the middle of their work, again and again.

Run as a program of its own, so that it can fork from a process with one thread:
`python -m support.killed_writer WRITER FOLDER ROUNDS`. After each kill it prints the last number
that the writer had acknowledged, and waits for a line before it goes on.
"""

import functools
import os
import random
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from fleetloop_hub.fleet_records import Cohort
from fleetloop_hub.records import Alias, Model
from fleetloop_hub.storage.catalog import TinyDbCatalog
from fleetloop_hub.storage.telemetry import SqliteTelemetry
from fleetloop_shared.codec import encode
from fleetloop_shared.reports import Label, LabelReport

Acknowledge = Callable[[int], None]

_NUMBER = struct.Struct("<q")


def write_catalog(folder: Path, acknowledge: Acknowledge) -> NoReturn:
    """Put growing and shrinking documents, two kinds together and one alone, for ever."""
    catalog = TinyDbCatalog(folder)
    number = max((c.sequence for c in catalog.all(Cohort)), default=0)
    while True:
        number += 1
        key = f"k{number % 7}"
        catalog.put(Cohort(key=key, sequence=number), Alias(key=key, version=number))
        catalog.put(Model(key="m", spec="x" * (number * 997 % 5000), floor=number, added_at=0))
        acknowledge(number)


def write_telemetry(folder: Path, acknowledge: Acknowledge) -> NoReturn:
    """Store reports of ten labels each, for ever."""
    telemetry = SqliteTelemetry(folder / "telemetry.db")
    number = telemetry.report_count()
    while True:
        number += 1
        labels = [Label(prediction_id=f"{number}-{n}", label=1, at=0) for n in range(10)]
        report = LabelReport(device="d", boot=1, seq=number, at=0, labels=labels)
        telemetry.store([("labels", encode(report), report)])
        acknowledge(number)


def _tell(pipe: int, number: int) -> None:
    os.write(pipe, _NUMBER.pack(number))


def _kill_one(write: Callable[[Path, Acknowledge], NoReturn], folder: Path) -> int:
    """Let a writer run for some milliseconds; returns the last number it has acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        write(folder, functools.partial(_tell, writing))
    os.close(writing)
    last = os.read(reading, _NUMBER.size)
    time.sleep(random.uniform(0, 0.01))  # any moment will do
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reading, _NUMBER.size):
        last = more
    os.close(reading)
    return int(_NUMBER.unpack(last)[0])


def main() -> None:
    """Kill a writer, tell what it had acknowledged, wait, and begin again."""
    write = {"catalog": write_catalog, "telemetry": write_telemetry}[sys.argv[1]]
    for _ in range(int(sys.argv[3])):
        sys.stdout.write(f"{_kill_one(write, Path(sys.argv[2]))}\n")
        sys.stdout.flush()
        sys.stdin.readline()


if __name__ == "__main__":
    main()
