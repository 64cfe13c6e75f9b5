"""The weather's world: which days the first model knows, which each station lives through.

Daily weather at one place. The first model learns the winters of fourteen years. Every station
replays later years in order, from the first of January on, so that spring and summer come as they
came. The years after those are held out: nobody has seen them when versions are compared. The
story's seed shifts all of it by some years, and gives the stations each other's years.

Days that were not measured are left out of the recording, so its seasons slip against the
calendar by some days each year; what comes after `END_DAY` has slipped too far and is not used.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fleetloop_firmware_sim.errors import RecordingError
from fleetloop_firmware_sim.recording import Recording, read

YEAR_DAYS = 365.25
TRAINING_YEARS = 14
STATION_YEARS = 3
HELD_OUT_FROM_YEAR = 21
END_DAY = 12_000
SHIFTS_YEARS = 5
"""So far can the story's years be shifted; three years are held out then."""

_WINTER_ENDS_DAY = 60
_WINTER_BEGINS_DAY = 334
_SUMMER_ENDS_DAY = 244

LABEL = "rain"
TIME = "day"


@dataclass(frozen=True)
class World:
    """What happens to whom.

    Attributes:
        training_csv: Winters of fourteen years, as the CSV has them.
        stations: What each station measures, in order.
        held_out: Later springs and summers, a share for each station.
    """

    training_csv: str
    stations: list[Recording]
    held_out: list[Recording]


def build(csv: Path, stations: int, seed: int = 1) -> World:
    """Cut the recording for a number of stations.

    Args:
        csv: The recording.
        stations: How many.
        seed: From 1; that has the earliest years.

    Raises:
        RecordingError: The file cannot be used, or is too short for this story.
    """
    recording = read(csv, LABEL)
    if TIME not in recording.columns:
        raise RecordingError(f"{csv} has no column {TIME!r}, which says when a row was measured")
    day = recording.rows[:, recording.columns.index(TIME)].astype(np.float64)
    year, of_year = np.divmod(day, YEAR_DAYS)
    year -= (seed - 1) % SHIFTS_YEARS
    winter = (of_year < _WINTER_ENDS_DAY) | (of_year >= _WINTER_BEGINS_DAY)
    growing = (of_year >= _WINTER_ENDS_DAY) & (of_year < _SUMMER_ENDS_DAY)
    late = (year >= HELD_OUT_FROM_YEAR) & (day < END_DAY)
    held_out = np.flatnonzero(late & growing)
    if not held_out.size:
        held_out = np.flatnonzero(late)
    starts = np.linspace(TRAINING_YEARS, HELD_OUT_FROM_YEAR - STATION_YEARS, stations).round()
    starts = np.roll(starts, 1 - seed)
    lives = [np.flatnonzero((year >= s) & (year < s + STATION_YEARS)) for s in starts]
    if not (held_out.size and all(map(len, lives))):
        raise RecordingError(f"{csv} has too few years: they end before those that are held out")
    return World(
        training_csv=_lines(csv, np.flatnonzero(winter & (year >= 0) & (year < TRAINING_YEARS))),
        stations=[_rows(recording, life) for life in lives],
        held_out=[_rows(recording, part) for part in np.array_split(held_out, stations)],
    )


def _rows(recording: Recording, indexes: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> Recording:
    return Recording(
        recording.columns,
        np.ascontiguousarray(recording.rows[indexes]),
        [recording.labels[int(i)] for i in indexes],
    )


def _lines(csv: Path, indexes: "np.ndarray[tuple[int], np.dtype[np.intp]]") -> str:
    header, *lines = csv.read_text("utf-8").splitlines()
    return "\n".join([header, *(lines[i] for i in indexes)]) + "\n"
