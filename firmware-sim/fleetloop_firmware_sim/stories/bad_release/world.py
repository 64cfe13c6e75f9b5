"""The bad release's world: one board's humidity is always that of the hour before.

Its driver reads the register before the new value is in. Hours are drawn independently, and
humidity independently of what else is measured, so that the rows of such a board look in every way
like those that a model was trained on: no drift can be seen in them, nor in the model's scores. A
model that does not use humidity does not care; one that does is often wrong there, and nothing but
the truth tells. Rain follows from humidity and pressure, so that humidity is worth wanting: offline
the release is better.
"""

import numpy as np

from fleetloop_firmware_sim.recording import Recording
from fleetloop_firmware_sim.stories import steady

HUMIDITY = "humidity_pct"
COLUMNS = [name for name in steady.COLUMNS if name != "dew_point_c"]
"""What the first version sees."""

GOOD_BOARD, BAD_BOARD = "board-a", "board-b"

_DRYING_K = 16.0
_NOISE_PCT = 1.5
_PER_CENT = 100.0
_MEAN_PCT, _MEAN_HPA = 71.0, 1014.0
_ODDS_PCT, _ODDS_HPA = 0.17, 0.2


def training_csv(seed: int) -> str:
    """The hours from before the story, with their own humidity, as a CSV."""
    rows, rain = _draw(steady.TRAINING_ROWS, [seed, 0])
    lines = [",".join(["hour", *COLUMNS, HUMIDITY, steady.LABEL])]
    for number, (row, wet) in enumerate(zip(rows.tolist(), rain, strict=True)):
        lines.append(",".join([str(number), *(f"{value:.2f}" for value in row), str(wet)]))
    return "\n".join(lines) + "\n"


def life(count: int, seed: int, station: int, board: str) -> Recording:
    """What a station with this board measures; the truth about every hour becomes known."""
    rows, rain = _draw(count, [seed, station])
    if board == BAD_BOARD:
        rows[:, -1] = np.roll(rows[:, -1], 1)
    return Recording([*COLUMNS, HUMIDITY], rows, rain)


def _draw(
    count: int, seed: list[int]
) -> tuple["np.ndarray[tuple[int, int], np.dtype[np.float32]]", list[int]]:
    """Hours as they are, humidity last, and whether it rained."""
    hours = steady.draw(count, seed).rows
    temperature, dew_point, pressure, wind, gust = hours.T
    chance = np.random.default_rng([*seed, 1])
    humid = _PER_CENT * np.exp((dew_point - temperature) / _DRYING_K)
    humidity = np.clip(humid + chance.normal(0.0, _NOISE_PCT, count), 0.0, _PER_CENT)
    odds = _ODDS_PCT * (humidity - _MEAN_PCT) - _ODDS_HPA * (pressure - _MEAN_HPA)
    rain = chance.random(count) < 1.0 / (1.0 + np.exp(-odds))
    rows = np.stack([temperature, pressure, wind, gust, humidity], axis=1)
    return rows.astype(np.float32).round(2), rain.astype(int).tolist()
