"""Rows that can be learned, a spec for them, and the real weather, for tests of the pipeline."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

import fleetloop_firmware_sim
from fleetloop_hub.child import Progress
from fleetloop_hub.data import build, keeping
from fleetloop_hub.records import Dataset
from fleetloop_hub.spec.data_tables import SourceTable
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.telemetry_records import LabelledSample
from fleetloop_hub.training.job import Champion, Job
from fleetloop_hub.training.run import Output
from fleetloop_shared.reports import Label, Sample

WEATHER = Path(fleetloop_firmware_sim.__file__).parent / "data"
YEAR = 365.25

SPEC = """
[model]
name = "toy"
seed = 3
[[sources]]
csv = "toy.csv"
[rows]
time = "t"
[label]
column = "y"
[[features]]
name = "a"
low = -100.0
high = 100.0
[[features]]
name = "b"
[[candidates]]
name = "line"
family = "linear"
[[candidates]]
name = "net"
family = "mlp"
hidden = [64]
[drift]
window_rows = 32
[judge]
patience_s = 0.0
"""


def toy_spec() -> ModelSpec:
    """The toy spec."""
    return parse(SPEC)


def line_text() -> str:
    """The toy spec's text with the quickest candidate only."""
    return SPEC.replace('[[candidates]]\nname = "net"\nfamily = "mlp"\nhidden = [64]\n', "")


def toy_csv(rows: int = 400, seed: int = 0) -> str:
    """A header and rows whose label depends on `a` and `b`, with some noise."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(0, 10, rows), rng.normal(5, 0.1, rows)
    y = a / 10 + (b - 5) * 10 + rng.normal(0, 1, rows) > 0
    body = [f"{t},{a[t]:.4f},{b[t]:.5f},{int(y[t])}" for t in range(rows)]
    return "\n".join(["t,a,b,y", *body]) + "\n"


def from_csv(spec: ModelSpec, path: Path, blobs: FileBlobs, now: float) -> Dataset:
    """A dataset version of a file, whatever source the spec names."""
    spec = msgspec.structs.replace(spec, sources=[SourceTable(csv=path.name)])
    with tempfile.TemporaryDirectory() as work:
        built = build.from_sources(spec, path.parent, Path(work), None, lambda share, text: None)
        assert built is not None
        return keeping.keep(built, blobs, now)


def with_samples(
    spec: ModelSpec,
    parent: Dataset,
    samples: Iterable[LabelledSample],
    blobs: FileBlobs,
    now: float,
) -> Dataset:
    """A dataset version with the rows of another and those that devices have seen."""
    with tempfile.TemporaryDirectory() as work:
        built = build.with_samples(spec, keeping.before(parent, blobs), samples, Path(work))
        return keeping.keep(built, blobs, now)


def toy_dataset(blobs: FileBlobs, folder: Path, text: str | None = None) -> Dataset:
    """A dataset version of toy rows."""
    (folder / "toy.csv").write_text(toy_csv() if text is None else text)
    return from_csv(toy_spec(), folder / "toy.csv", blobs, 1.0)


def labelled(
    device: str, number: int, values: list[float | None], label: int, at: float | None = None
) -> LabelledSample:
    """A served row whose truth has come."""
    name, at = f"p{number}", 1e9 + number if at is None else at
    sample = Sample(
        prediction_id=name,
        at=at,
        values=values,
        score=0.5,
        label=0,
        version=1,
    )
    return LabelledSample(device, sample, Label(prediction_id=name, label=label, at=at + 0.5))


def job(
    spec_text: str, dataset: Dataset, blobs: FileBlobs, champion: Champion | None = None
) -> Job:
    """A job on a dataset version that lies among the blobs."""
    return Job(
        run="run-1",
        spec=spec_text,
        version=1 if champion is None else 2,
        floor=0,
        dataset=dataset.key,
        dataset_path=str(blobs.path(dataset.key)),
        code="test",
        reason="a test",
        champion=champion,
    )


def as_champion(output: Output, blobs: FileBlobs) -> Champion:
    """What a run has made, as the next run's champion."""
    manifest = output.result.manifest
    path = blobs.path(blobs.put(output.artifact))
    return Champion(path=str(path), sha256=manifest.sha256, signature=manifest.signature)


def silent(progress: Progress) -> None:
    """Tell nobody."""


def weather_lines() -> tuple[str, list[str]]:
    """The header of the real weather, and its rows."""
    header, *lines = (WEATHER / "noaa_weather.csv").read_text().splitlines()
    return header, lines


def write_winters(folder: Path, rng: np.random.Generator | None = None) -> Path:
    """The winters of the first 20 years; `rng` shuffles their labels."""
    header, lines = weather_lines()
    kept = [line for day, line in enumerate(lines[: int(20 * YEAR)]) if is_winter(day)]
    if rng is not None:
        labels = rng.permutation([line.rsplit(",", 1)[1] for line in kept])
        kept = [
            f"{line.rsplit(',', 1)[0]},{label}" for line, label in zip(kept, labels, strict=True)
        ]
    path = folder / "winters.csv"
    path.write_text("\n".join([header, *kept]) + "\n")
    return path


def is_winter(day: int) -> bool:
    """Whether it is December, January or February."""
    return not 60 <= day % YEAR < 334


def summer_samples(days: Iterable[int]) -> list[LabelledSample]:
    """Days of the real weather as four stations have served them."""
    _, lines = weather_lines()
    samples = []
    for index, day in enumerate(days):
        _, *values, label = lines[day].split(",")
        numbers: list[float | None] = [float(v) for v in values]
        samples.append(labelled(f"station-{index % 4}", day, numbers, int(label), day * 86_400.0))
    return samples
