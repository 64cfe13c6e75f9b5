"""How often River's DDM alarms where nothing has happened; runs in the peers' environment.

`python label_peers.py FILE`: alarms in 2,000 labels of a model that stays right in 85 of 100.
"""

import json
import sys
from pathlib import Path

import numpy as np
from river.drift.binary import DDM

STREAMS, LABELS = 200, 2_000


def main(file: Path) -> None:
    """Count."""
    random, alarms = np.random.default_rng(0), 0
    for _ in range(STREAMS):
        detector = DDM()
        for wrong in random.random(LABELS) < 0.15:
            detector.update(bool(wrong))
            alarms += detector.drift_detected
    file.write_text(json.dumps(alarms / STREAMS), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
