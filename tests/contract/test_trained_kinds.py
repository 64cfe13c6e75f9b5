"""What the hub trains from a table comes back from a device as rows of the next table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fleetloop_agent.runtime import OrtRuntime
from fleetloop_agent.serving.predictor import Predictor
from fleetloop_agent.update.examine import examine
from fleetloop_hub.data import parquet
from fleetloop_hub.monitoring.ingest import Ingest
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.tracking.registry import Registry
from fleetloop_hub.training.run import train
from fleetloop_hub.training.runs import Finished
from fleetloop_shared.manifest_check import check
from support import kinds
from support.agent_board import SmallHost, StandingClock
from support.hubparts import parts
from support.learnable import from_csv, job, silent, with_samples
from support.sampled import sample_all

ROWS = 400

SPEC = """
[model]
name = "kind"
task = "{task}"
[[sources]]
csv = "rows.csv"
[label]
{label}
[[features]]
name = "heat"
[[features]]
name = "colour"
kind = "category"
categories = ["red", "green", "blue"]
[[candidates]]
name = "only"
family = "{family}"
[drift]
window_rows = 20
"""


@dataclass(frozen=True)
class Case:
    task: str
    label: str
    family: str
    truths: list[str | float]
    numbers: list[float]


CASES = {
    "two classes": Case(
        "classification",
        'column = "warm"\nclasses = ["no", "yes"]\npositive = "yes"',
        "linear",
        ["yes", "no", 1, 0],
        [1, 0, 1, 0],
    ),
    "three classes": Case(
        "classification",
        'column = "kind"\nclasses = ["dry", "rain", "snow"]',
        "linear",
        ["snow", "rain", "dry", 2],
        [2, 1, 0, 2],
    ),
    "regression": Case(
        "regression",
        'column = "value"\n[gates]\nmetric = "r2"',
        "linear",
        [1000.5, 900, -3.25, 0.0],
        [1000.5, 900, -3.25, 0.0],
    ),
}

SERVED: list[dict[str, object]] = [
    {"heat": 1.5, "colour": "red"},
    {"heat": None, "colour": "mauve"},
    {"heat": -1, "colour": None},
    {"heat": 0.25, "colour": "blue"},
]
PLACES = np.array([[1.5, 0], [np.nan, -1], [-1, np.nan], [0.25, 2]], np.float32)


def table() -> str:
    """A header and rows in which the labels follow heat and colour, with gaps and odd colours."""
    lot = np.random.default_rng(0)
    heat, colour = lot.standard_normal(ROWS), lot.integers(0, 4, ROWS)
    signal = heat + 1.5 * (colour == 0) + 0.3 * lot.standard_normal(ROWS)
    lines = ["heat,colour,warm,kind,value"]
    for k in range(ROWS):
        given = "" if k % 29 == 0 else f"{heat[k]:.4f}"
        word = "" if k % 31 == 0 else ["red", "green", "blue", "mauve"][colour[k]]
        kind = ["dry", "rain", "snow"][int(np.digitize(signal[k], [0.0, 1.2]))]
        warm = "yes" if signal[k] > 0.5 else "no"
        lines.append(f"{given},{word},{warm},{kind},{1000 + 100 * signal[k]:.3f}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_a_model_goes_from_a_table_to_a_device_and_its_rows_come_back(
    name: str, tmp_path: Path
) -> None:
    case = CASES[name]
    text = SPEC.format(task=case.task, label=case.label, family=case.family)
    spec = parse(text)
    (tmp_path / "rows.csv").write_text(table())
    with parts(tmp_path / "hub") as kept:
        before = from_csv(spec, tmp_path / "rows.csv", kept.blobs, 1.0)
        output = train(job(text, before, kept.blobs), silent)
        manifest = check(output.result.manifest)
        finished = Finished(output.result, output.artifact, output.encoded, "decision-1")
        version = Registry(kept.catalog, kept.blobs).register(finished, 1.0)
        assert version.task == case.task
        found = examine(manifest, output.artifact, OrtRuntime(), StandingClock(), SmallHost())
        assert found.passed, found.text

        served = Predictor("station-1", 3, OrtRuntime(), StandingClock())
        served.load(manifest, output.artifact)
        sample_all(served)
        answers = served.predict(SERVED)
        pairs = zip(answers, case.truths, strict=True)
        assert served.feedback([(a.prediction_id, truth) for a, truth in pairs]) == len(SERVED)
        kinds.report(served, Ingest(kept.telemetry))

        samples = kept.telemetry.labelled("kind")
        after = with_samples(spec, before, samples, kept.blobs, 2.0)
        frame = parquet.read_frame(kept.blobs.path(after.key), spec)
    back = frame.take(frame.device == "station-1")
    assert len(frame) == before.rows + len(SERVED)
    assert _written(back.values, back.label) == _written(PLACES, np.array(case.numbers))


def _written(values: npt.NDArray[np.float32], label: npt.NDArray[np.float64]) -> list[str]:
    """Rows as text, in any order, so that a missing value is equal to itself."""
    return sorted(map(str, np.column_stack([values, label]).tolist()))
