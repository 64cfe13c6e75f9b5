"""Reports as they reach the hub's telemetry: kind, payload, message."""

from fleetloop_shared.codec import encode
from fleetloop_shared.reports import (
    EventKind,
    EventReport,
    Label,
    LabelReport,
    Report,
    Sample,
    SampleReport,
)

Taken = tuple[str, bytes, Report]
"""What `Telemetry.store` takes."""


def event(seq: int, *, device: str = "a", boot: int = 1, text: str = "on") -> Taken:
    """An event report."""
    report = EventReport(
        device=device, boot=boot, seq=seq, at=1.0, kind=EventKind.STARTED, text=text
    )
    return "events", encode(report), report


def sample(prediction_id: str, *, at: float = 1.0, label: float = 1, version: int = 1) -> Sample:
    """A served row that was answered."""
    return Sample(
        prediction_id=prediction_id,
        at=at,
        values=[0.1, None, -1e300],
        score=0.7,
        label=label,
        version=version,
    )


def samples(seq: int, *rows: Sample, device: str = "a", model: str = "rain") -> Taken:
    """A report of served rows."""
    report = SampleReport(device=device, boot=1, seq=seq, at=1.0, model=model, samples=list(rows))
    return "samples", encode(report), report


def labels(seq: int, *truths: tuple[str, float], device: str = "a") -> Taken:
    """A report of labels: (prediction id, label)."""
    said = [Label(prediction_id=name, label=label, at=9.0) for name, label in truths]
    report = LabelReport(device=device, boot=1, seq=seq, at=1.0, labels=said)
    return "labels", encode(report), report
