"""How one report comes into the telemetry database, within a transaction of its caller."""

import sqlite3
from collections.abc import Callable

import msgspec

from fleetloop_hub.telemetry_records import Refusal
from fleetloop_shared.errors import reasons
from fleetloop_shared.reports import (
    EventKind,
    EventReport,
    Label,
    LabelReport,
    Report,
    Sample,
    SampleReport,
)

_REPORT = """
INSERT INTO reports (device, boot, seq, kind, at, stored_at, payload) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (device, boot, seq) DO NOTHING
"""
_SAMPLE = """
INSERT INTO samples (device, prediction_id, model, version, at, row, score, label)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, prediction_id) DO NOTHING
"""
_LABEL = """
INSERT INTO labels (device, prediction_id, label, at) VALUES (?, ?, ?, ?)
ON CONFLICT (device, prediction_id) DO NOTHING
"""
_REFUSAL = """
INSERT INTO refusals (source, reason, count, text, at, topic, first_at, refused_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (refused_by, source, reason) DO UPDATE SET
count = count + excluded.count, text = excluded.text, at = excluded.at, topic = excluded.topic
"""
_HEARD = "UPDATE pulses SET seen_at = ? WHERE device = ?"
_TEXT_LIMIT = 1000
_TOPIC_LIMIT = 200
OTHER = "other"
"""Stands for whatever reason a device gives that is none of ours."""

_REASONS = reasons()


_JOINED = """
SELECT s.model, s.version, l.label FROM samples s JOIN labels l USING (device, prediction_id)
WHERE s.device = ? AND s.prediction_id = ?
"""
ClassesOf = Callable[[str, int], list[int]]
"""The classes of a model's version; none of a regression, or where they cannot be told."""


class Intake:
    """Reports, samples and labels on their way in; what came first stands."""

    def __init__(self, connection: sqlite3.Connection, now: float, classes_of: ClassesOf) -> None:
        """Take in within the transaction that is open.

        Args:
            connection: The database.
            now: Unix seconds, the hub's clock.
            classes_of: What labels may be.
        """
        self._connection = connection
        self._classes_of = classes_of
        self._now = now
        self._heard: set[str] = set()

    def take(self, kind: str, payload: bytes, report: Report) -> None:
        """Keep a report, or count it as refused; one that cannot be kept does not stop others.

        A device that has said it is there is heard now, whether the report is news or comes again.
        """
        self._connection.execute("SAVEPOINT report")
        try:
            if report.device not in self._heard:
                self._connection.execute(_HEARD, (self._now, report.device))
            self._keep(kind, payload, report)
        except (OverflowError, UnicodeEncodeError, sqlite3.IntegrityError) as error:
            self._connection.execute("ROLLBACK TO report")
            self.refuse(report.device, "unstorable", f"{kind} report: {error}")
        else:
            self._heard.add(report.device)
        self._connection.execute("RELEASE report")

    def refuse(self, source: str, reason: str, text: str, topic: str = "", count: int = 1) -> None:
        """Count what the hub does not take in."""
        self._refuse(Refusal(source, reason, count, text, self._now, topic))

    def _refuse(self, refusal: Refusal) -> None:
        row = (
            _clean(refusal.source),
            _clean(refusal.reason),
            refusal.count,
            _clean(refusal.text[:_TEXT_LIMIT]),
            self._now,
            _clean(refusal.topic[:_TOPIC_LIMIT]),
            self._now,
            refusal.by,
        )
        self._connection.execute(_REFUSAL, row)

    def _keep(self, kind: str, payload: bytes, report: Report) -> None:
        name = (report.device, report.boot, report.seq)
        row = (*name, kind, report.at, self._now, payload)
        if self._connection.execute(_REPORT, row).rowcount == 0:
            self._check_same_report(name, payload)
        elif isinstance(report, EventReport):
            self._keep_attempt(report)
        elif isinstance(report, SampleReport):
            for sample in report.samples:
                self._keep_sample(report, sample)
        elif isinstance(report, LabelReport):
            for label in report.labels:
                self._keep_label(report.device, label)

    def _keep_attempt(self, report: EventReport) -> None:
        """Count what a device says that it has refused."""
        if report.kind is EventKind.REFUSED:
            reason = report.reason if report.reason in _REASONS else OTHER
            topic, by = report.topic or "", report.device
            self._refuse(Refusal(by, reason, 1, report.text, self._now, topic, by=by))

    def _check_same_report(self, name: tuple[str, int, int], payload: bytes) -> None:
        (first,) = self._connection.execute(
            "SELECT payload FROM reports WHERE device = ? AND boot = ? AND seq = ?", name
        ).fetchone()
        if first != payload:
            device, boot, seq = name
            text = f"report {seq} of boot {boot} came again with other content; the first stands"
            self.refuse(device, "contradicting-report", text)

    def _keep_sample(self, report: SampleReport, sample: Sample) -> None:
        name = (report.device, sample.prediction_id)
        said = (
            report.model,
            sample.version,
            sample.at,
            msgspec.json.encode(sample.values).decode(),
            sample.score,
            sample.label,
        )
        if self._connection.execute(_SAMPLE, (*name, *said)).rowcount:
            self._check_class(*name)
        else:
            first = self._connection.execute(
                "SELECT model, version, at, row, score, label FROM samples"
                " WHERE device = ? AND prediction_id = ?",
                name,
            ).fetchone()
            if first != said:
                text = f"prediction {sample.prediction_id!r} came again with another row or answer"
                self.refuse(report.device, "contradicting-sample", f"{text}; the first stands")

    def _keep_label(self, device: str, label: Label) -> None:
        name = (device, label.prediction_id)
        if self._connection.execute(_LABEL, (*name, label.label, label.at)).rowcount:
            self._check_class(*name)
        else:
            (first,) = self._connection.execute(
                "SELECT label FROM labels WHERE device = ? AND prediction_id = ?", name
            ).fetchone()
            if first != label.label:
                text = f"prediction {label.prediction_id!r}: label {label.label} came after {first}"
                self.refuse(device, "contradicting-label", f"{text}, which stands")

    def _check_class(self, device: str, prediction_id: str) -> None:
        """Give up a label that is no class of the version that answered: it cannot be weighed."""
        name = (device, prediction_id)
        for model, version, label in self._connection.execute(_JOINED, name).fetchall():
            classes = self._classes_of(model, version)
            if classes and label not in classes:
                self._connection.execute(
                    "DELETE FROM labels WHERE device = ? AND prediction_id = ?", name
                )
                known = ", ".join(map(str, classes))
                text = f"prediction {prediction_id!r}: {label} is no class of {model}@{version}"
                self.refuse(device, "unknown-class", f"{text}; there are {known}")


def _clean(text: str) -> str:
    """Without what cannot be stored, and what could move the cursor of a terminal."""
    stored = text.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in stored)
