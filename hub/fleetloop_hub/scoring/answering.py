"""Answers the rows of a chunk, one after the other, and says of the others why not."""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fleetloop_hub.data.chunk import Chunk
from fleetloop_hub.packaging.artifact import Artifact
from fleetloop_hub.scoring.inputs import Inputs, Rows
from fleetloop_hub.scoring.source import Source
from fleetloop_shared.answers import Rule
from fleetloop_shared.manifest import REGRESSION, Manifest

_AT_ONCE = 8_192


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not answered.

    Attributes:
        line: Where it stands in the file.
        reasons: Everything that is wrong with it.
        row: Its text.
    """

    line: int
    reasons: list[str]
    row: str


class Answering:
    """Chunks of one file, given to one model."""

    def __init__(self, manifest: Manifest, artifact: Artifact, source: Source) -> None:
        """Nothing is read or answered yet.

        Args:
            manifest: What is signed about the artifact.
            artifact: It, loaded.
            source: The file.
        """
        self._manifest, self._artifact, self._source = manifest, artifact, source
        signature = manifest.signature
        self._inputs, self._rule = Inputs(signature), Rule(signature)
        self._names = dict(zip(signature.classes, signature.class_names, strict=False))
        number = pa.float64() if signature.task == REGRESSION else pa.int64()
        own = {"score": pa.float64(), "answer": number}
        own |= {"class_name": pa.string()} if self._names else {}
        own |= {"model": pa.string(), "version": pa.int64(), "artifact": pa.string()}
        kept = [(_renamed(f.name, {"line", *own}), f.type) for f in source.kept]
        self.schema = pa.schema([("line", pa.int64()), *kept, *own.items()])

    def answers(self, chunk: Chunk) -> Iterator[tuple[pa.Table, list[Reject]]]:
        """Answers, and rows without one, some thousand at a time.

        Raises:
            TrainingError: The artifact fails.
        """
        kept = self._source.kept_of(chunk)
        for start in range(0, chunk.table.num_rows, _AT_ONCE):
            rows, wrong = self._inputs.rows(chunk.table.slice(start, _AT_ONCE))
            columns, sound = self._answer(rows, wrong)
            taken = pa.array(sound)
            lines = chunk.lines[start : start + _AT_ONCE]
            before = [lines[sound], *(c.slice(start, _AT_ONCE).filter(taken) for c in kept)]
            table = pa.Table.from_arrays(
                [_array(c, f.type) for c, f in zip([*before, *columns], self.schema, strict=True)],
                schema=self.schema,
            )
            rejects = [
                Reject(line=int(lines[row]), reasons=reasons, row=chunk.raw(start + row))
                for row, reasons in sorted(wrong.items())
            ]
            yield table, rejects

    def _answer(
        self, rows: Rows, wrong: dict[int, list[str]]
    ) -> tuple[list[Any], npt.NDArray[np.bool_]]:
        """The answers' columns, and which rows they are of; adds to `wrong` what the model says."""
        sound = np.ones(len(rows), bool)
        sound[list(wrong)] = False
        width = self._manifest.signature.columns
        outputs = np.empty((0, width), np.float32)
        if sound.any():
            outputs = self._artifact.outputs(rows[sound])
        answered = np.isfinite(outputs).all(axis=1)
        for row in np.flatnonzero(sound)[~answered].tolist():
            wrong[row] = [self._unanswered(rows[row])]
            sound[row] = False
        scores, answers = self._rule.answer(outputs[answered])
        manifest, count = self._manifest, int(sound.sum())
        named = [[self._names.get(int(a), "") for a in answers]] if self._names else []
        about = (manifest.model, manifest.version, manifest.sha256)
        return [scores, answers, *named, *(pa.repeat(value, count) for value in about)], sound

    def _unanswered(self, row: npt.NDArray[np.float32]) -> str:
        features = self._manifest.signature.features
        infinite = [f.name for f, x in zip(features, row, strict=True) if np.isinf(x)]
        if infinite:
            return f"{', '.join(infinite)} is infinite: the model has no answer to it"
        return "the model gave no number"


def _renamed(name: str, taken: set[str]) -> str:
    """A column of the file by another name, where the answers have one of that name."""
    while name in taken:
        name = f"input_{name}"
    return name


def _array(values: Any, kind: pa.DataType) -> Any:  # noqa: ANN401  # pyarrow ships no types
    if isinstance(values, np.ndarray):
        return pa.array(values).cast(kind)
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, kind)
