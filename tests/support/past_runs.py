"""Runs that have ended, with all they leave, made by really training."""

import tempfile
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from fleetloop_hub import child
from fleetloop_hub.records import Run
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.tracking.kept import SPEC, kept
from fleetloop_hub.training import job as files
from fleetloop_hub.training.run import Output, train
from support.learnable import job, line_text, silent, toy_dataset


def a_past_run(
    blobs: FileBlobs, folder: Path, spec_text: str | None = None, *, again: str | None = None
) -> Run:
    """A run on the toy rows, of which everything is kept that a training process would leave."""
    text = line_text() if spec_text is None else spec_text
    key = "run-1" if again is None else "run-2"
    toy_dataset(blobs, folder)
    output = _trained(text, again)
    left = folder / key
    left.mkdir()
    (left / files.ARTIFACT).write_bytes(output.artifact)
    (left / files.FLOAT).write_bytes(output.float_data)
    (left / files.EVALUATION).write_bytes(output.evaluation)
    (left / files.LABELLED).write_bytes(output.labelled)
    (left / child.LOG).write_text("what libraries have printed\n")
    spec = {SPEC: blobs.put(text.encode())}
    return kept(replace(output.result.run, key=key, artifacts=spec), left, blobs)


@cache
def _trained(spec_text: str, again: str | None) -> Output:
    """Really trained, once for all tests that look at the result."""
    with tempfile.TemporaryDirectory() as folder:
        blobs = FileBlobs(Path(folder) / "blobs")
        asked = job(spec_text, toy_dataset(blobs, Path(folder)), blobs)
        return train(replace(asked, reproduces=again), silent)
