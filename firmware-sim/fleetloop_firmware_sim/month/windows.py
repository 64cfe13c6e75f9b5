"""Windows of served rows, as the agent's own counting and judging finds them.

A window is judged once and told by many devices: what is dear about a month of thousands of devices
is judging, and a hub cannot see that two devices saw the same rows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fleetloop_agent.ports import Rows
from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.served import load
from fleetloop_agent.serving.windows import judged
from fleetloop_firmware_sim.recording import Recording
from fleetloop_shared.drift.scan import Judged
from fleetloop_shared.manifest import Manifest

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Weather:
    """Rows that devices can meet, with what the model says of them.

    Attributes:
        rows: Values, shape (rows, features).
        scores: One a row.
        answers: The class that is answered.
        truths: The class that it was.
        windows: Windows of them, in each of which one reporting window ends.
    """

    rows: Rows
    scores: Floats
    answers: Floats
    truths: list[int]
    windows: list[list[Judged]]


def meet(manifest: Manifest, artifact: bytes, recording: Recording, count: int) -> Weather:
    """What a device finds that serves a recording over and over, in an order drawn by its length.

    Args:
        manifest: Of the model.
        artifact: The model.
        recording: Rows whose truth is known, with the model's features.
        count: How many reporting windows.
    """
    found = recording.select([f.name for f in manifest.signature.features])
    served = load(manifest, artifact, OrtRuntime(), 1)
    order = np.random.default_rng(len(found.rows)).integers(
        0, len(found.rows), count * manifest.thresholds.window_rows
    )
    rows = np.ascontiguousarray(found.rows[order])
    _, scores, answers = served.many(rows)
    windows: list[list[Judged]] = [[]]
    for start in range(0, len(rows), manifest.thresholds.scales[0].rows):
        some = slice(start, start + manifest.thresholds.scales[0].rows)
        served.monitor.extend(rows[some], scores[some])
        for window in judged([(served, block) for block in served.monitor.take()]):
            windows[-1].append(window.judged)
            if window.judged.closed:
                windows.append([])
    truths = [int(found.labels[k] or 0) for k in order]
    return Weather(rows, scores, answers, truths, windows[:-1])
