"""A world that stays as it is: hours of weather at one place, without seasons, drawn from a seed.

Temperature follows a normal distribution; the dew point lies below it by a gamma-distributed gap,
the smaller the gap and the lower the pressure, the likelier is rain. Gusts are a multiple of the
wind. Hours are drawn independently, so that the same holds in the first row and in the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleetloop_firmware_sim.recording import Recording, Truth

COLUMNS = ["temperature_c", "dew_point_c", "pressure_hpa", "wind_ms", "gust_ms"]
MODEL = "shower"
LABEL = "rain"
TRAINING_ROWS = 20_000
WINDOW_ROWS = 256
FALSE_ALARMS_PER_MILLION_ROWS = 1.0
CANARY_SHARE = 0.25

_LABEL_EVERY = 20

_SPEC = """\
[model]
name = "{model}"
seed = 7

[[sources]]
csv = "{csv}"

[rows]
time = "hour"

[label]
column = "{label}"
positive = 1

{features}

[[candidates]]
name = "logistic"
family = "linear"

[gates]
metric = "balanced_accuracy"
floor = 0.6

[drift]
window_rows = {window_rows}
false_alarms_per_million_rows = {false_alarms}

[rollout]
phases = [{canary_share}, 1.0]
soak_rows = 64
soak_s = 60.0
lost_after_s = 240.0

[sampling]
random_share = 0.1
bytes_per_day = 100_000_000

[retrain]
drift_devices = 0.5
min_labels = 100
cooldown_s = 5.0
"""


def spec(features: Sequence[str] = COLUMNS, *, canary_share: float = CANARY_SHARE) -> str:
    """The model spec: will it rain in this hour?

    Args:
        features: Columns that the model sees.
        canary_share: Of the devices, for the first phase of a rollout.
    """
    return _SPEC.format(
        model=MODEL,
        csv="hours.csv",
        label=LABEL,
        features="\n\n".join(f'[[features]]\nname = "{name}"' for name in features),
        window_rows=WINDOW_ROWS,
        canary_share=canary_share,
        false_alarms=FALSE_ALARMS_PER_MILLION_ROWS,
    )


@dataclass(frozen=True)
class Hours:
    """Measured hours.

    Attributes:
        rows: One row an hour, with the columns of `COLUMNS`.
        rain: Whether it rained, 1 or 0.
    """

    rows: "np.ndarray[tuple[int, int], np.dtype[np.float32]]"
    rain: list[int]


def draw(count: int, seed: list[int]) -> Hours:
    """So many hours; the same for the same seed.

    >>> bool((draw(9, [1, 2]).rows == draw(9, [1, 2]).rows).all())
    True
    """
    chance = np.random.default_rng(seed)
    temperature = chance.normal(12.0, 7.0, count)
    gap = chance.gamma(2.0, 3.0, count)
    pressure = chance.normal(1014.0, 8.0, count)
    wind = chance.gamma(3.0, 1.5, count)
    gust = wind * chance.uniform(1.3, 2.2, count)
    odds = 2.0 - 0.55 * gap - 0.12 * (pressure - 1014.0)
    rain = chance.random(count) < 1.0 / (1.0 + np.exp(-odds))
    columns = [temperature, temperature - gap, pressure, wind, gust]
    return Hours(np.stack(columns, axis=1).astype(np.float32).round(2), rain.astype(int).tolist())


def training_csv(seed: int) -> str:
    """The hours from before the story, as a CSV."""
    hours = draw(TRAINING_ROWS, [seed, 0])
    lines = [",".join(["hour", *COLUMNS, LABEL])]
    for number, (row, rain) in enumerate(zip(hours.rows.tolist(), hours.rain, strict=True)):
        lines.append(",".join([str(number), *(f"{value:.2f}" for value in row), str(rain)]))
    return "\n".join(lines) + "\n"


def life(count: int, seed: int, station: int) -> Recording:
    """What a station measures; the truth about every twentieth hour becomes known."""
    hours = draw(count, [seed, station])
    truths: list[Truth | None] = [
        rain if number % _LABEL_EVERY == 0 else None for number, rain in enumerate(hours.rain)
    ]
    return Recording(list(COLUMNS), hours.rows, truths)


def swapped(whole: Recording, first_row: int, pair: tuple[str, str]) -> Recording:
    """The same hours as they are measured if two sensors change places at a row."""
    order = list(range(len(whole.columns)))
    a, b = (whole.columns.index(name) for name in pair)
    order[a], order[b] = b, a
    rows = whole.rows.copy()
    rows[first_row:] = rows[first_row:][:, order]
    return Recording(whole.columns, rows, whole.labels)
