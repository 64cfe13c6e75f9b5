"""Real data in time order, in which nothing is broken: what fires, and why.

The weather of one place for fifty years, a row a day. Its own numbers say of it: the mean wind
falls from 9 knots to 6 between the seventh year and the ninth and stays there, and from the 45th
on it is near 8 again, as when an instrument is replaced or moved. Visibility is recorded up to 15
miles at first, up to 12 from the 14th year on, up to 25 from the 22nd, and up to 10 at last.
Temperatures, dew point and pressure change with the seasons and from year to year.

The census of one state, 10,000 people a year, four years.
"""

import csv
import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetloop_hub.packaging.reference import build_reference
from fleetloop_hub.packaging.thresholds import calibrate
from fleetloop_shared.manifest import Feature
from support.drift_watch import Watch

Figure = dict[str, Any]
Rows = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

ROOT = Path(__file__).parents[2]
WEATHER = ROOT / "firmware-sim" / "fleetloop_firmware_sim" / "data" / "noaa_weather.csv"
CENSUS = ROOT / "docs" / "data" / "census.csv.gz"

YEAR = 365.25
STILL = (9.0, 25.0)
"""Years of the reference in which no instrument seems to have been replaced."""

WINTER = (60, 334)
SUMMER_ENDS = 244


def run() -> list[Figure]:
    """All figures."""
    names, table = _read(WEATHER.read_text("utf-8").splitlines())
    year, rows = table[:, 0] / YEAR, table[:, 1:-1].astype(np.float32)
    names = names[1:-1]
    known = (year >= STILL[0]) & (year < STILL[1])
    figures = [
        _fired(f"weather, windows of {window} days, 24 years after 16", names, rows, known, window)
        for window in (32, 256)
    ]
    first = year < 7  # before the wind drops
    figures.append(_fired("weather, windows of 32 days, 42 years after 7", names, rows, first, 32))
    figures.append(_spring(names, rows, table[:, 0]))
    names, table = _read(gzip.decompress(CENSUS.read_bytes()).decode().splitlines())
    keep = [k for k, name in enumerate(names) if name not in {"year", "employed"}]
    people, when = table[:, keep].astype(np.float32), table[:, names.index("year")]
    names = [names[k] for k in keep]
    figures.append(
        _fired("census, later years after the first", names, people, when == when.min(), 1_024)
    )
    return figures


def _read(lines: list[str]) -> tuple[list[str], Floats]:
    head, *rest = csv.reader(lines)
    return head, np.array([[float(cell or "nan") for cell in row] for row in rest])


def _watch(names: list[str], rows: Rows, window_rows: int, budget: float = 1.0) -> Watch:
    scores = np.full(len(rows), 0.5)
    reference = build_reference([Feature(name=name) for name in names], rows, scores)
    thresholds = calibrate(
        reference,
        rows,
        scores,
        window_rows=window_rows,
        false_alarms_per_million_rows=budget,
        seed=0,
    )
    return Watch(reference, thresholds)


def _fired(
    what: str, names: list[str], rows: Rows, known: npt.NDArray[np.bool_], window_rows: int
) -> Figure:
    """Alarmed windows of the rows after the known ones, and by what."""
    later = rows[np.flatnonzero(known)[-1] + 1 :]
    told = _watch(names, rows[known], window_rows).told(later, np.full(len(later), 0.5))
    closed = [window for window in told if window.closed]
    by = Counter(
        feature.name
        for window in told
        for feature in window.verdict.features
        if feature.ratio >= 1.0
    )
    beside = {
        "windows": len(closed),
        "alarms": sum(window.alarm for window in closed),
        **{f"by {name}": count for name, count in by.most_common(4)},
    }
    share = 100 * beside["alarms"] / len(closed)
    return _figure(f"{what}: windows with an alarm", share, "%", beside)


def _spring(names: list[str], rows: Rows, day: Floats) -> Figure:
    """A model that has learned winters only: days of spring until it is called drift.

    The demo's budget of 100 false alarms in a million days: one in 27 years.
    """
    year, of_year = np.divmod(day, YEAR)
    winter = (of_year < WINTER[0]) | (of_year >= WINTER[1])
    watch = _watch(names, rows[winter & (year < 14)], 32, budget=100.0)
    found, early = [], 0
    for k in range(14, 24):
        days = np.flatnonzero((year == k) & (of_year < SUMMER_ENDS))
        began = int((of_year[days] < WINTER[0]).sum())
        told = watch.told(rows[days], np.full(len(days), 0.5))
        ends = [w.first_row - 1 + w.verdict.rows - began for w in told if w.verdict.alarm]
        early += sum(end <= 0 for end in ends)
        found.append(min((end for end in ends if end > 0), default=np.inf))
    beside = {
        "by year": " ".join(f"{d:.0f}" for d in found),
        "alarms in the ten winters before": early,
    }
    return _figure(
        "weather, trained on winters: days of spring until the alarm",
        float(np.median(found)),
        "days",
        beside,
    )


def _figure(metric: str, value: float, unit: str, peers: Figure) -> Figure:
    return {
        "metric": metric,
        "value": round(value, 1),
        "unit": unit,
        "op": "",
        "target": None,
        "peers": peers,
    }
