"""Builds a version's card from what is recorded about it."""

from dataclasses import dataclass

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.packaging.card import origin, verdicts
from fleetloop_hub.packaging.card.parts import Badge, Card, Level, Section
from fleetloop_hub.packaging.card.words import plural, share, size
from fleetloop_hub.records import Dataset, Run, Version, VersionState
from fleetloop_hub.spec.model_spec import ModelSpec

_LEVELS = {
    VersionState.READY: Level.GOOD,
    VersionState.RELEASED: Level.GOOD,
    VersionState.WAITING: Level.WARN,
}


@dataclass(frozen=True)
class Subject:
    """What a card is about.

    Attributes:
        version: The version.
        spec: The model spec it was trained by.
        run: The run that made it, None if its record is gone.
        dataset: The dataset version it was trained on, None if its record is gone.
        decision: Why it exists, None if that is gone.
    """

    version: Version
    spec: ModelSpec
    run: Run | None = None
    dataset: Dataset | None = None
    decision: Decision | None = None


def build(subject: Subject) -> Card:
    """The card; the same records give the same card."""
    version, spec = subject.version, subject.spec
    sections = [
        Section("What it is for", origin.purpose(spec, subject.decision)),
        Section("Data", origin.data(spec, subject.dataset, version.dataset)),
        Section("Features", origin.features(spec)),
        Section("Candidates", origin.candidates(spec, subject.run)),
        Section("Gates", verdicts.gates(version, spec)),
        Section("Slices", verdicts.slices(version, spec)),
        Section("Fairness", verdicts.fairness(version, spec)),
        Section("Calibration", verdicts.calibration(version)),
        Section("Size, speed and quantization", verdicts.costs(version, spec)),
        Section("Drift budget", origin.drift(spec, version)),
        Section("Limits and caveats", verdicts.caveats(version, spec, subject.run)),
        Section("How to reproduce", origin.reproduction(version, spec, subject.run)),
        Section("Who said what", verdicts.approvals(version)),
    ]
    return Card(
        title=f"{version.model} v{version.number}",
        state=Badge(_LEVELS.get(version.state, Level.BAD), str(version.state)),
        about=origin.sentence(spec),
        figures=_figures(subject),
        sections=[section for section in sections if section.blocks],
    )


def _figures(subject: Subject) -> list[tuple[str, str, str]]:
    version, parity = subject.version, subject.version.parity
    found = []
    floor = next((g for g in version.gates if g.name in {"floor", "flagged share"}), None)
    if floor is not None and floor.value is not None:
        metric = subject.spec.gates.metric if floor.name == "floor" else floor.name
        ends = ""
        if floor.low is not None and floor.high is not None:
            ends = f"95 % interval {floor.low:.3f} to {floor.high:.3f}"
        found.append((f"{floor.value:.3f}", metric.replace("_", " "), ends))
    judged = [gate for gate in version.gates if gate.judged]
    passed = sum(gate.passed for gate in judged)
    waived = sum(gate.waived for gate in judged)
    more = f"{plural(waived, 'gate')} waived by a person" if waived else "judged on new rows"
    found.append((f"{passed} of {len(judged)}", "gates passed", more))
    smaller = share(parity.artifact_bytes / max(1, parity.float_bytes))
    found.append((size(parity.artifact_bytes), "on the device", f"{smaller} of the float file"))
    found.append((f"{parity.artifact_ms:.3f} ms", "an answer", "median, one row, at the hub"))
    return found
