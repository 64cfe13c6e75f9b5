"""Scores a file: reads it in chunks, answers row by row, writes answers and rejected rows."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fleetloop_hub.errors import DataError
from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.scoring.answering import Answering, Reject
from fleetloop_hub.scoring.outputs import Lines, open_output, whole_or_not_at_all
from fleetloop_hub.scoring.source import open_source
from fleetloop_shared.ids import sha256_hex
from fleetloop_shared.manifest import Manifest

Step = Callable[[float, int], None]
"""Is told the share of the file that was read, and the rows so far."""


@dataclass(frozen=True)
class Scored:
    """What came of a file.

    Attributes:
        rows: Rows that were answered.
        rejected: Rows that were not.
        rejects: Where those stand with their reasons, if there are any.
    """

    rows: int
    rejected: int
    rejects: Path | None


@dataclass(frozen=True)
class Task:
    """What is to be scored with what.

    Attributes:
        manifest: What is signed about the artifact.
        artifact: Its bytes.
        source: The file to read.
        target: The file to write.
        delimiter: Of a CSV file.
    """

    manifest: Manifest
    artifact: bytes
    source: Path
    target: Path
    delimiter: str = ","


def score(task: Task, step: Step) -> Scored:
    """Answer every row of a file.

    One row at a time: some models, such as those whose activations are quantized by what is in a
    batch, answer differently in company, and a device mostly answers one.

    Raises:
        DataError: The file cannot be read or written, or is none of the model's.
        DiskFullError: No room.
        TrainingError: ONNX Runtime does not take the artifact.
    """
    if sha256_hex(task.artifact) != task.manifest.sha256:
        raise DataError(
            f"the artifact is not the one of {task.manifest.model} {task.manifest.version}: its "
            "SHA-256 is not the manifest's; nothing was scored"
        )
    target = task.target.absolute()
    rejects = target.with_name(f"{target.name}.rejects.jsonl")
    if task.source.resolve() in {target.resolve(), rejects.resolve()}:
        raise DataError(f"{task.target} is the file to read: name another one to write")
    if not target.parent.is_dir():
        raise DataError(f"{target.parent} is no folder: make it first")
    source = open_source(task.source, task.manifest.signature, task.delimiter)
    answering = Answering(task.manifest, Artifact(task.artifact, task.manifest.signature), source)
    rows = rejected = 0
    with whole_or_not_at_all(rejects, target) as parts, contextlib.ExitStack() as files:
        output = open_output(target, parts[target], answering.schema)
        files.callback(output.close)
        refused = Lines(parts[rejects])
        files.callback(refused.close)
        for chunk in source.chunks():
            for broken in chunk.broken:
                refused.add(Reject(line=broken.line, reasons=[broken.reason], row=broken.raw))
            for piece, wrong in answering.answers(chunk):
                output.write(piece)
                rows, rejected = rows + piece.num_rows, rejected + len(wrong)
                for reject in wrong:
                    refused.add(reject)
            rejected += len(chunk.broken)
            step(chunk.share, rows + rejected)
    return Scored(rows, rejected, rejects if rejected else None)
