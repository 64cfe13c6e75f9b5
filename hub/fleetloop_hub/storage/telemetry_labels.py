"""How one label comes into the telemetry database, within a transaction of its caller."""

import sqlite3
from collections.abc import Callable
from typing import Any

import msgspec

from fleetloop_hub.telemetry_records import LabelFate, LabelledSample
from fleetloop_shared.reports import Label, Sample
from fleetloop_shared.sampling import Reason

ClassesOf = Callable[[str, int], list[int]]
"""The classes of a model's version; none of a regression, or where they cannot be told."""

Refuse = Callable[[str, str, str], None]
"""Counts a refusal: whose it was, its reason, and what was wrong in words."""

MOST_WAITING = 100_000
"""Labels of one device that may wait for their rows; those that have waited longest make room."""

_LABEL = """
INSERT INTO labels (device, prediction_id, label, at, source, waiting)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (device, prediction_id) DO NOTHING
"""
_JOINED = """
SELECT s.model, s.version, l.label, l.source FROM samples s
JOIN labels l USING (device, prediction_id) WHERE s.device = ? AND s.prediction_id = ?
"""
_OLDEST = """
DELETE FROM labels WHERE (device, prediction_id) IN (
SELECT device, prediction_id FROM labels WHERE device = ? AND waiting ORDER BY at LIMIT ?)
"""


class LabelIntake:
    """Labels on their way in; what came first stands.

    Attributes:
        met: Whether a label has met its row, or was given up.
    """

    def __init__(
        self, connection: sqlite3.Connection, classes_of: ClassesOf, refuse: Refuse
    ) -> None:
        """Take in within the transaction that is open.

        Args:
            connection: The database.
            classes_of: What labels may be.
            refuse: Counts what is not taken.
        """
        self._connection, self._classes_of, self._refuse = connection, classes_of, refuse
        self._made_room: set[str] = set()
        self.met = False

    def take(self, device: str, label: Label, source: str) -> LabelFate:
        """Keep a label, joined to its row or until that comes.

        Args:
            device: Who has made the prediction.
            label: The truth about it.
            source: Who says so: the device itself, or whoever told the hub.
        """
        name = (device, label.prediction_id)
        there = self._connection.execute(
            "SELECT 1 FROM samples WHERE device = ? AND prediction_id = ?", name
        ).fetchone()
        said = (*name, label.label, label.at, source, int(there is None))
        if self._connection.execute(_LABEL, said).rowcount:
            if there is not None:
                return LabelFate.JOINED if self.meet(device, label.prediction_id) else _NO_CLASS
            self._make_room(device)
            return LabelFate.WAITING
        (first,) = self._connection.execute(
            "SELECT label FROM labels WHERE device = ? AND prediction_id = ?", name
        ).fetchone()
        words = f"prediction {label.prediction_id!r}: label {label.label}"
        if first == label.label:
            self._refuse(source, "duplicate-label", f"{words} was known; nothing has changed")
            return LabelFate.DUPLICATE
        self._refuse(source, "contradicting-label", f"{words} came after {first}, which stands")
        return LabelFate.CONTRADICTING

    def meet(self, device: str, prediction_id: str) -> bool:
        """A row and its label may both be there now; a label that is no class is given up.

        Returns:
            Whether a label stands.
        """
        name = (device, prediction_id)
        for model, version, label, source in self._connection.execute(_JOINED, name).fetchall():
            self.met = True
            classes = self._classes_of(model, version)
            if classes and label not in classes:
                self._connection.execute(
                    "DELETE FROM labels WHERE device = ? AND prediction_id = ?", name
                )
                known = ", ".join(map(str, classes))
                text = f"prediction {prediction_id!r}: {label} is no class of {model}@{version}"
                self._refuse(source, "unknown-class", f"{text}; there are {known}")
                return False
            self._connection.execute(
                "UPDATE labels SET waiting = 0 WHERE device = ? AND prediction_id = ?", name
            )
            return True
        return False

    def _make_room(self, device: str) -> None:
        """Once a transaction: what one brings is bounded."""
        if device in self._made_room:
            return
        self._made_room.add(device)
        (waiting,) = self._connection.execute(
            "SELECT count(*) FROM labels WHERE device = ? AND waiting", (device,)
        ).fetchone()
        if waiting > MOST_WAITING:
            over = waiting - MOST_WAITING
            self._connection.execute(_OLDEST, (device, over))
            text = f"{MOST_WAITING:,} labels wait for rows of {device}; the oldest made room"
            self._refuse(device, "too-many-waiting", text)


_NO_CLASS = LabelFate.NO_CLASS

_decode_values = msgspec.json.Decoder(list[float | None]).decode


def labelled_sample(row: tuple[Any, ...]) -> LabelledSample:
    """A labelled sample as it is read from the database."""
    truth, known_at = row[-2:]
    label = Label(prediction_id=row[1], label=truth, at=known_at)
    return LabelledSample(device=row[0], sample=sample(row[:-2]), label=label)


def sample(row: tuple[Any, ...]) -> Sample:
    """A sample of some device, as it is read from the database."""
    _, prediction_id, at, values, score, label, version, reason, probability = row
    return Sample(
        prediction_id=prediction_id,
        at=at,
        values=_decode_values(values),
        score=score,
        label=label,
        version=version,
        reason=Reason(reason),
        probability=probability,
    )
