"""Runs one other drift detector on saved streams, in an environment of its own (`support.peers`).

`python drift_peers.py NAME FOLDER WINDOWS` reads `FOLDER/reference.npy`, so many windows of
`FOLDER/null.npy`, and `FOLDER/streams.json`, which names the other streams and the row at which
each begins to drift, and writes `FOLDER/NAME.json`: how many null windows had an alarm, and for
each kind of drift the rows until the first alarm.

Each detector is used as its documentation begins: defaults, windows of 1,000 rows where it takes
windows. It gives the rows at which it raises an alarm.
"""

import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

WINDOW_ROWS = 1_000
CATEGORIES = (25, 26, 27, 28, 29)
"""Flags and categories; everything else is a number."""

Rows = np.ndarray[Any, np.dtype[np.float32]]
Detector = Callable[[Rows], Iterator[int]]


def evidently(reference: Rows) -> Detector:
    """The default test of each column at its default threshold; an alarm if any column drifts."""
    import pandas as pd  # noqa: PLC0415  # each detector has an environment of its own
    from evidently.legacy.calculations.stattests import (  # noqa: PLC0415  # the same
        get_stattest,
    )

    before = [pd.Series(column).dropna() for column in reference.T]

    def drifts(window: Rows) -> bool:
        for k, column in enumerate(window.T):
            now = pd.Series(column).dropna()
            kind = "cat" if k in CATEGORIES else "num"
            test = get_stattest(before[k], now, kind, None)
            if test(before[k], now, kind, None).drifted:
                return True
        return False

    return _by_window(drifts)


def nannyml(reference: Rows) -> Detector:
    """Univariate Jensen-Shannon distance; an alarm if any column is beyond its own threshold."""
    import nannyml as nml  # type: ignore[import-not-found]  # noqa: PLC0415  # the same

    calculator = nml.UnivariateDriftCalculator(
        column_names=_names(reference),
        treat_as_categorical=[f"f{k}" for k in CATEGORIES],
        chunk_size=WINDOW_ROWS,
    ).fit(_frame(reference))
    return _nannyml(calculator)


def nannyml_pca(reference: Rows) -> Detector:
    """The reconstruction error of a principal component analysis."""
    import nannyml as nml  # noqa: PLC0415  # the same

    numbers = [name for k, name in enumerate(_names(reference)) if k not in CATEGORIES]
    calculator = nml.DataReconstructionDriftCalculator(
        column_names=numbers, chunk_size=WINDOW_ROWS
    ).fit(_frame(reference))
    return _nannyml(calculator)


def alibi(reference: Rows) -> Detector:
    """TabularDrift: KS and chi-squared with Bonferroni's correction at 0.05."""
    from alibi_detect.cd import (  # type: ignore[import-not-found]  # noqa: PLC0415  # the same
        TabularDrift,
    )

    filled = np.nanmean(reference, axis=0)
    detector = TabularDrift(
        _filled(reference, filled), p_val=0.05, categories_per_feature=dict.fromkeys(CATEGORIES)
    )

    def drifts(window: Rows) -> bool:
        return bool(detector.predict(_filled(window, filled))["data"]["is_drift"])

    return _by_window(drifts)


def river(reference: Rows) -> Detector:
    """ADWIN on each column, its delta of 0.002 divided by the columns; missing values left out."""
    from river.drift import ADWIN  # noqa: PLC0415  # the same

    def alarms(rows: Rows) -> Iterator[int]:
        found = set()
        for column in rows.T.astype(np.float64):
            detector = ADWIN(delta=0.002 / len(rows.T))
            for row, value in enumerate(column.tolist(), start=1):
                if value == value:  # noqa: PLR0124  # not missing
                    detector.update(value)
                    if detector.drift_detected:
                        found.add(row)
        return iter(sorted(found))

    return alarms


DETECTORS = {f.__name__: f for f in (evidently, nannyml, nannyml_pca, alibi, river)}


def main() -> None:
    """Measure one detector."""
    name, folder = sys.argv[1], Path(sys.argv[2])
    began = time.monotonic()
    detect = DETECTORS[name](np.load(folder / "reference.npy"))
    null = np.load(folder / "null.npy")[: int(sys.argv[3]) * WINDOW_ROWS]
    false = {(row - 1) // WINDOW_ROWS for row in detect(null)}
    delays: dict[str, list[int | None]] = {}
    for stream in json.loads((folder / "streams.json").read_text("utf-8")):
        found = detect(np.load(folder / stream["file"]))
        after = (row - stream["began"] for row in found if row > stream["began"])
        delays.setdefault(stream["change"], []).append(next(after, None))
    told = {
        "windows": len(null) // WINDOW_ROWS,
        "alarms": len(false),
        "delays": delays,
        "took_s": time.monotonic() - began,
    }
    (folder / f"{name}.json").write_text(json.dumps(told), "utf-8")


def _by_window(drifts: Callable[[Rows], bool]) -> Detector:
    def alarms(rows: Rows) -> Iterator[int]:
        ends = range(WINDOW_ROWS, len(rows) + 1, WINDOW_ROWS)
        return (end for end in ends if drifts(rows[end - WINDOW_ROWS : end]))

    return alarms


def _nannyml(calculator: Any) -> Detector:  # noqa: ANN401  # no types
    def alarms(rows: Rows) -> Iterator[int]:
        found = calculator.calculate(_frame(rows)).filter(period="analysis")
        table = found.to_df(multilevel=False)
        alerts = table[[name for name in table.columns if name.endswith("alert")]].any(axis=1)
        ends = np.arange(1, len(table) + 1) * WINDOW_ROWS
        return iter(ends[alerts.to_numpy()].tolist())

    return alarms


def _names(rows: Rows) -> list[str]:
    return [f"f{k}" for k in range(rows.shape[1])]


def _frame(rows: Rows) -> Any:  # noqa: ANN401  # pandas is not of this environment
    import pandas as pd  # noqa: PLC0415  # each detector has an environment of its own

    return pd.DataFrame(rows.astype(np.float64), columns=_names(rows))


def _filled(rows: Rows, values: Rows) -> Rows:
    return np.where(np.isnan(rows), values, rows)


if __name__ == "__main__":
    os.environ |= {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    warnings.simplefilter("ignore")
    main()
