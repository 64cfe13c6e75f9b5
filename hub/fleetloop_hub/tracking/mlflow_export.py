"""Copies a run to an MLflow tracking server; the one home of mlflow, an extra that may be absent.

| here | there |
|---|---|
| settings of the taken candidate, seed, what was tried | parameters |
| metrics with their intervals | metrics |
| curves of candidates | metrics with steps, `<candidate>/<curve>` |
| hashes of dataset, spec, artifact; code; version; who asked and why | tags |
| files that the run left, pictures, card | artifacts |
"""

import contextlib
import importlib
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetloop_hub.errors import ExportError
from fleetloop_hub.records import Run, RunState

_INSTALL = "pip install 'fleetloop-hub[mlflow]'"
_TAG_CHARS = 5_000
_PARAM_CHARS = 6_000
_BATCH = 900
_STATES = {RunState.FINISHED: "FINISHED", RunState.RUNNING: "RUNNING", RunState.CANCELLED: "KILLED"}
_ODD = str.maketrans(dict.fromkeys("#:%,()[]{}\"'", "_"))


@dataclass(frozen=True)
class Copy:
    """What is copied.

    Attributes:
        run: The run, with its curves.
        version: The version that came of it, None if none did.
        files: What it left, pictures and card, by name.
    """

    run: Run
    version: str | None
    files: dict[str, bytes]


def parameters(run: Run) -> dict[str, str]:
    """Parameters as MLflow has them: of the taken candidate, and of the run."""
    found = {"seed": str(run.seed), "candidates": ", ".join(c.name for c in run.candidates)}
    for candidate in run.candidates:
        if candidate.name == run.chosen:
            found |= {"taken": candidate.name, "recipe": candidate.recipe}
            found |= {name: str(value) for name, value in candidate.parameters.items()}
    return {_name(name): value[:_PARAM_CHARS] for name, value in found.items()}


def metrics(run: Run) -> Iterator[tuple[str, float, int]]:
    """Name, value and step of every metric; curves count their steps from 1."""
    for name, value in run.metrics.items():
        yield _name(name), value, 0
    for candidate in run.candidates:
        at = _name(candidate.name)
        yield f"{at}/score", candidate.score, 0
        yield f"{at}/quantized_score", candidate.quantized_score, 0
        yield f"{at}/artifact_bytes", float(candidate.artifact_bytes), 0
        yield f"{at}/latency_ms", candidate.latency_ms, 0
        for curve, values in candidate.curves.items():
            for step, value in enumerate(values, 1):
                yield f"{at}/{_name(curve)}", value, step
        for fold, score in enumerate(candidate.fold_scores, 1):
            if score is not None:
                yield f"{at}/fold_score", score, fold


def tags(run: Run, version: str | None) -> dict[str, str]:
    """Tags as MLflow has them, below `fleetloop.`; the code under MLflow's own name as well."""
    found = {
        "run": run.key,
        "model": run.model,
        "dataset_sha256": run.dataset,
        "spec_sha256": run.spec,
        "artifact_sha256": run.artifacts.get("artifact.onnx", ""),
        "version": version or "",
        "code": run.code,
        "asked_by": run.asked_by,
        "reason": run.reason,
        "decision": run.decision,
        "error": run.error or "",
        "reproduces": run.reproduces or "",
        "libraries": ", ".join(f"{name} {v}" for name, v in sorted(run.libraries.items())),
        "machine": "" if run.machine is None else f"{run.machine.cpu}, {run.machine.platform}",
    }
    told = {f"fleetloop.{name}": value[:_TAG_CHARS] for name, value in found.items() if value}
    return told | {"mlflow.source.git.commit": run.code, "mlflow.user": run.asked_by or "fleetloop"}


def copied(copy: Copy, uri: str, experiment: str) -> str:
    """Copy a run; returns the id that MLflow gave it.

    A copy that breaks off half-way is marked as failed there; ours is never changed.

    Args:
        copy: What is copied.
        uri: Of the tracking server, or a folder.
        experiment: Under which name; made if it is not there.

    Raises:
        ExportError: mlflow is not installed, or the server does not take it.
    """
    mlflow = _mlflow()
    try:
        client = mlflow.MlflowClient(tracking_uri=uri)
        found = client.get_experiment_by_name(experiment)
        place = client.create_experiment(experiment) if found is None else found.experiment_id
        started_ms = int(copy.run.started_at * 1000)
        made = client.create_run(
            place, start_time=started_ms, tags=tags(copy.run, copy.version), run_name=copy.run.key
        )
        run_id = str(made.info.run_id)
        try:
            _fill(mlflow, client, run_id, copy)
        except BaseException:
            with contextlib.suppress(mlflow.exceptions.MlflowException, OSError):
                client.set_terminated(run_id, "FAILED")
            raise
        ended_ms = started_ms + int(copy.run.duration_s * 1000)
        client.set_terminated(run_id, _STATES.get(copy.run.state, "FAILED"), ended_ms)
    except (mlflow.exceptions.MlflowException, OSError) as error:
        raise ExportError(
            f"the MLflow server at {uri} did not take {copy.run.key}: {error}; the run here is as "
            "it was. See that the server runs, then export again"
        ) from error
    return run_id


def _fill(mlflow: Any, client: Any, run_id: str, copy: Copy) -> None:  # noqa: ANN401  # an extra without types
    entities, at_ms = mlflow.entities, int(copy.run.started_at * 1000)
    told = [entities.Param(name, value) for name, value in parameters(copy.run).items()]
    for start in range(0, len(told), 100):
        client.log_batch(run_id, params=told[start : start + 100])
    measured = [
        entities.Metric(name, value, at_ms, step)
        for name, value, step in metrics(copy.run)
        if math.isfinite(value)
    ]
    for start in range(0, len(measured), _BATCH):
        client.log_batch(run_id, metrics=measured[start : start + _BATCH])
    with tempfile.TemporaryDirectory() as folder:
        for name, data in copy.files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        client.log_artifacts(run_id, folder)


def _mlflow() -> Any:  # noqa: ANN401  # an extra without types
    try:
        return importlib.import_module("mlflow")
    except ImportError as error:
        raise ExportError(
            f"mlflow is not installed, so nothing was exported: {_INSTALL}, and export again"
        ) from error


def _name(text: str) -> str:
    """A name with the characters that MLflow takes."""
    return text.translate(_ODD)
