"""whylogs, Evidently and River on the rows of `agent_monitoring.py`, in their own environment.

Reads the name of a way a line, answers a line of JSON: microseconds a row. Each way sees as many
rows as make it worth timing. `names` gives the ways, `bytes` the size of their profiles.
"""

import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

os.environ["WHYLOGS_NO_ANALYTICS"] = "True"
warnings.simplefilter("ignore")

import numpy as np  # noqa: E402  # after the warnings are off
import pandas as pd  # noqa: E402
import whylogs  # noqa: E402
from evidently import Report  # noqa: E402
from evidently.presets import DataDriftPreset  # noqa: E402
from river.drift import ADWIN, PageHinkley  # noqa: E402
from whylogs.core import DatasetProfile  # noqa: E402

Frame = Any

FEW = 200


class Peers:
    """Every way of the peers, each timed on the same rows."""

    def __init__(self, path: str) -> None:
        with np.load(path) as arrays:
            self.reference = self._frame(arrays["reference"])
            self.rows = self._frame(arrays["rows"])
        self.dicts = self.rows.to_dict("records")
        self.ways: dict[str, Callable[[], int]] = {
            "whylogs, row by row": self.whylogs_rows,
            "whylogs, a table of 1,000": self.whylogs_table,
            "Evidently, 1,000 rows": self.evidently,
            "River ADWIN": lambda: self.river(ADWIN),
            "River PageHinkley": lambda: self.river(PageHinkley),
        }

    @staticmethod
    def _frame(values: np.ndarray) -> Frame:
        return pd.DataFrame(values, columns=[f"f{k}" for k in range(values.shape[1])])

    def whylogs_rows(self) -> int:
        """A profile that rows are added to one by one."""
        profile = DatasetProfile()
        for row in self.dicts[:FEW]:
            profile.track(row)
        return FEW

    def whylogs_table(self) -> int:
        """A profile of a table."""
        whylogs.log(self.rows.iloc[:1_000])
        return 1_000

    def evidently(self) -> int:
        """The drift of a table."""
        Report([DataDriftPreset()]).run(self.rows.iloc[:1_000], self.reference)
        return 1_000

    def river(self, kind: Callable[[], Any]) -> int:
        """A detector a feature."""
        detectors = [kind() for _ in self.rows.columns]
        for row in self.rows.to_numpy()[:1_000].tolist():
            for detector, value in zip(detectors, row, strict=True):
                detector.update(value)
        return 1_000

    def bytes(self) -> dict[str, str]:
        """The profile that whylogs would send."""
        data = whylogs.log(self.rows.iloc[:1_000]).view().serialize()
        return {"whylogs": f"{len(data):,}"}


def main() -> None:
    """Answer what is asked for."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the peers print is no answer
    logging.disable(logging.CRITICAL)
    peers = Peers(sys.argv[1])
    for line in sys.stdin:
        answers.write(json.dumps(answer(peers, line.strip())) + "\n")
        answers.flush()


def answer(peers: Peers, asked: str) -> object:
    """What is asked for."""
    if asked == "names":
        return list(peers.ways)
    if asked == "bytes":
        return peers.bytes()
    began = time.perf_counter()
    rows = peers.ways[asked]()
    return 1e6 * (time.perf_counter() - began) / rows


if __name__ == "__main__":
    main()
