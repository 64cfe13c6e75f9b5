"""The demo's recording, changed so that its story must end differently."""

import csv
import random
from pathlib import Path

import pytest

import fleetloop_firmware_sim

WEATHER = Path(str(fleetloop_firmware_sim.__file__)).parent / "data" / "noaa_weather.csv"


YEAR_DAYS = 365.25


@pytest.fixture
def weather_without_summer(tmp_path: Path) -> Path:
    """Winter days only: nothing changes."""
    header, *lines = WEATHER.read_text("utf-8").splitlines()
    days = [float(line.partition(",")[0]) % YEAR_DAYS for line in lines]
    winter = [line for line, day in zip(lines, days, strict=True) if day < 60 or day >= 334]
    path = tmp_path / "winters-only.csv"
    path.write_text("\n".join([header, *winter]) + "\n", "utf-8")
    return path


@pytest.fixture
def shuffled_weather(tmp_path: Path) -> Path:
    """The same days with each other's labels: there is nothing to learn."""
    with WEATHER.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    labels = [row[-1] for row in rows]
    random.Random(7).shuffle(labels)
    path = tmp_path / "shuffled.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        days = [[*row[:-1], label] for row, label in zip(rows, labels, strict=True)]
        csv.writer(file).writerows([header, *days])
    return path
