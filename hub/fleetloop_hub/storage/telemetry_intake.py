"""How one report comes into the telemetry database, within a transaction of its caller."""

import math
import sqlite3

import msgspec

from fleetloop_hub.storage.telemetry_labels import ClassesOf, LabelIntake
from fleetloop_hub.storage.telemetry_retention import forget, is_past
from fleetloop_hub.storage.telemetry_sums import DigestIntake
from fleetloop_hub.telemetry_records import LabelFate, Refusal
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

_PULSE = """
INSERT INTO pulses (device, state, reported, seen_at) VALUES (?, ?, ?, ?)
ON CONFLICT (device) DO UPDATE SET state = COALESCE(excluded.state, state),
reported = COALESCE(excluded.reported, reported), seen_at = excluded.seen_at
"""
_REPORT = """
INSERT INTO reports (device, boot, seq, kind, at, stored_at, payload) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (device, boot, seq) DO NOTHING
"""
_SAMPLE = """
INSERT INTO samples
(device, prediction_id, model, version, at, row, score, label, reason, probability)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, prediction_id) DO NOTHING
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


class Intake:
    """Reports, samples and labels on their way in; what came first stands.

    Attributes:
        kept: Reports that were kept, without those that were taken away.
        devices: Of which anything was taken in, if only a sign of life.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        now: float,
        classes_of: ClassesOf,
        keep_s: float = math.inf,
    ) -> None:
        """Take in within the transaction that is open.

        Args:
            connection: The database.
            now: Unix seconds, the hub's clock.
            classes_of: What labels may be.
            keep_s: Seconds for which reports are kept at least.
        """
        self._connection = connection
        self._labels = LabelIntake(connection, classes_of, self.refuse)
        self._digests = DigestIntake(connection)
        self._now, self._before = now, now - keep_s
        self._heard: set[str] = set()
        self.kept, self.devices = 0, set[str]()

    def take(self, kind: str, payload: bytes, report: Report) -> bool:
        """Keep a report, or count it as refused; one that cannot be kept does not stop others.

        A device that has said it is there is heard now, whether the report is news or comes again.

        Returns:
            Whether it is kept and was not there.
        """
        self._connection.execute("SAVEPOINT report")
        self.devices.add(report.device)
        try:
            if report.device not in self._heard:
                self._connection.execute(_HEARD, (self._now, report.device))
            fresh = self._keep(kind, payload, report)
        except (OverflowError, UnicodeEncodeError, sqlite3.IntegrityError) as error:
            self._connection.execute("ROLLBACK TO report")
            self.refuse(report.device, "unstorable", f"{kind} report: {error}")
            fresh = False
        else:
            self._heard.add(report.device)
            self.kept += fresh
        self._connection.execute("RELEASE report")
        return fresh

    def pulse(self, device: str, state: bytes | None, reported: bytes | None) -> None:
        """Note what a device's retained messages say; None leaves what is there."""
        self._connection.execute(_PULSE, (device, state, reported, self._now))
        self.devices.add(device)

    @property
    def labelled(self) -> bool:
        """Whether a label has met its row, or was given up."""
        return self._labels.met

    def label(self, device: str, label: Label, source: str) -> LabelFate:
        """Take in a label that was told to the hub."""
        self.devices.add(device)
        return self._labels.take(device, label, source)

    def forget(self, most: int) -> int:
        """Take away reports that are older than they are kept; how many."""
        gone = forget(self._connection, self._before, most)
        self.kept -= gone
        return gone

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

    def _keep(self, kind: str, payload: bytes, report: Report) -> bool:
        """Keep a report; whether it was not there before."""
        name = (report.device, report.boot, report.seq)
        if report.at < self._before and is_past(self._connection, (name[0], kind, *name[1:])):
            return False
        row = (*name, kind, report.at, self._now, payload)
        if self._connection.execute(_REPORT, row).rowcount == 0:
            self._check_same_report(name, payload)
            return False
        self._digests.take(kind, report, self._now)
        if isinstance(report, EventReport):
            self._keep_attempt(report)
        elif isinstance(report, SampleReport):
            for sample in report.samples:
                self._keep_sample(report, sample)
        elif isinstance(report, LabelReport):
            for label in report.labels:
                self._labels.take(report.device, label, report.device)
        return True

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
            sample.reason,
            sample.probability,
        )
        if self._connection.execute(_SAMPLE, (*name, *said)).rowcount:
            self._labels.meet(*name)
        else:
            first = self._connection.execute(
                "SELECT model, version, at, row, score, label, reason, probability FROM samples"
                " WHERE device = ? AND prediction_id = ?",
                name,
            ).fetchone()
            if first != said:
                text = f"prediction {sample.prediction_id!r} came again with another row or answer"
                self.refuse(report.device, "contradicting-sample", f"{text}; the first stands")


def _clean(text: str) -> str:
    """Without what cannot be stored, and what could move the cursor of a terminal."""
    stored = text.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in stored)
