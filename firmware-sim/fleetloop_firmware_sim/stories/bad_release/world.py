"""The bad release's world: a humidity sensor that one board reads in another unit than the rest.

The rows that a model is trained on hold humidity in per cent, and so do those on which gates judge
it. The boards of one type deliver it as a share between 0 and 1. A model that does not use humidity
does not care; one that does takes the air for bone-dry there, and answers accordingly.
"""

import numpy as np

from fleetloop_firmware_sim.recording import Recording
from fleetloop_firmware_sim.stories import steady

HUMIDITY = "humidity_pct"
GOOD_BOARD, BAD_BOARD = "board-a", "board-b"

_DRYING_K = 16.0
_NOISE_PCT = 1.5
_PER_CENT = 100.0


def training_csv(seed: int) -> str:
    """The hours from before the story, with humidity in per cent, as a CSV."""
    hours = steady.draw(steady.TRAINING_ROWS, [seed, 0])
    humidity = _humidity(hours, [seed, 0, 1])
    lines = [",".join(["hour", *steady.COLUMNS, HUMIDITY, steady.LABEL])]
    for number, (row, wet, rain) in enumerate(
        zip(hours.rows.tolist(), humidity.tolist(), hours.rain, strict=True)
    ):
        cells = [str(number), *(f"{value:.2f}" for value in [*row, wet]), str(rain)]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def life(count: int, seed: int, station: int, board: str) -> Recording:
    """What a station with this board measures; the truth about every hour becomes known."""
    hours = steady.draw(count, [seed, station])
    humidity = _humidity(hours, [seed, station, 1])
    if board == BAD_BOARD:
        humidity = humidity / np.float32(_PER_CENT)
    rows = np.column_stack([hours.rows, humidity]).astype(np.float32)
    return Recording([*steady.COLUMNS, HUMIDITY], rows, list(hours.rain))


def _humidity(
    hours: steady.Hours, seed: list[int]
) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """From the gap between temperature and dew point, as a sensor reads it."""
    gap = hours.rows[:, 0] - hours.rows[:, 1]
    noise = np.random.default_rng(seed).normal(0.0, _NOISE_PCT, len(gap))
    humid = np.clip(_PER_CENT * np.exp(-gap / _DRYING_K) + noise, 0.0, _PER_CENT)
    rounded: np.ndarray[tuple[int], np.dtype[np.float32]] = humid.astype(np.float32).round(2)
    return rounded
