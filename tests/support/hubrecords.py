"""One of each record and report that a console shows, with the few fields a test varies."""

from fleetloop_hub.decision_records import Decision
from fleetloop_hub.fleet_records import Device, Quarantine, Rollout, RolloutState
from fleetloop_hub.records import Run, RunState, Verdict, Version, VersionState
from fleetloop_hub.run_parts import Candidate
from fleetloop_hub.version_parts import GateResult, Parity
from fleetloop_shared.reports import (
    DriftReport,
    EventKind,
    EventReport,
    FeatureDrift,
    HealthReport,
    Report,
)

PASSWORD = "broker-password-of-the-device"
SHA = "0123456789abcdef" * 4
START = 1_700_000_000.0


def a_gate(name: str = "floor", *, passed: bool = True) -> GateResult:
    return GateResult(
        name=name, passed=passed, value=0.81, limit=0.6, low=0.79, high=0.83, text="0.81 measured"
    )


def a_run(
    key: str = "run-1", *, state: RunState = RunState.FINISHED, error: str | None = None
) -> Run:
    return Run(
        key=key,
        model="rain",
        state=state,
        dataset="d" * 64,
        spec=SHA,
        seed=7,
        code="0.1.0",
        libraries={},
        started_at=START,
        notes=["the reference holds 12.5 windows"],
        candidates=[
            Candidate(
                name="small",
                parameters={},
                score=0.82,
                quantized_score=0.81,
                float_bytes=40_000,
                artifact_bytes=11_000,
                latency_ms=0.02,
                recipe="int8",
            )
        ],
        chosen="small",
        error=error,
    )


def a_version(
    number: int = 1,
    *,
    state: VersionState = VersionState.READY,
    run: str = "run-1",
    decision: str = "decision-1",
    passes: bool = True,
) -> Version:
    return Version(
        key=f"rain/{number}",
        model="rain",
        number=number,
        state=state if passes else VersionState.BLOCKED,
        run=run,
        dataset="d" * 64,
        artifact=SHA,
        manifest=None,
        manifest_bytes=0,
        transport=None,
        gates=[a_gate(), a_gate("champion", passed=passes)],
        parity=Parity(
            rows=500,
            label_flips=2,
            largest_gap=0.01,
            float_bytes=40_000,
            artifact_bytes=11_000,
            float_ms=0.03,
            artifact_ms=0.02,
        ),
        metrics={"balanced_accuracy": 0.81},
        decision=decision,
        created_at=START + number,
    )


def a_decision(key: str = "decision-1", *, verdict: Verdict = Verdict.RETRAIN) -> Decision:
    return Decision(
        key=key,
        model="rain",
        at=START,
        verdict=verdict,
        trigger="drift",
        reasons=["3 of 4 devices see drift"],
        evidence={"new_labels": 640.0},
        version=1,
        outcome="version 1 ready",
    )


def a_device(name: str = "station-1") -> Device:
    return Device(key=name, cohort="default", hardware="pi4", password=PASSWORD, enrolled_at=START)


def a_quarantine() -> Quarantine:
    return Quarantine(
        key=f"{SHA}/pi4",
        model="rain",
        version=1,
        artifact=SHA,
        hardware="pi4",
        reason="2 of 2 failed",
        rollout="rollout-1",
        at=START,
    )


def a_rollout(*, state: RolloutState = RolloutState.OPEN) -> Rollout:
    return Rollout(
        key="rollout-1",
        model="rain",
        version=1,
        control=None,
        cohort="default",
        salt="s",
        phases=[0.25, 1.0],
        phase=0,
        state=state,
        phase_since=START,
        started_at=START,
        ended_at=None if state is RolloutState.OPEN else START + 9,
        evidence={"ok": 1, "failed": 0},
        text="phase 1 of 2: 1 well",
    )


def a_health(seq: int, *, rows: int = 100, device: str = "station-1", version: int = 1) -> Report:
    return HealthReport(
        device=device,
        boot=1,
        seq=seq,
        at=START,
        model="rain",
        version=version,
        uptime_s=5.0,
        rows=rows,
        errors=0,
        refused=0,
        latency_counts=[1] + [0] * 47,
        latency_p50_ms=0.1,
        latency_p99_ms=0.2,
        rss_bytes=60_000_000,
        outbox=3,
        outbox_bytes=900,
        unkept=0,
        labels=50,
        labels_correct=40,
    )


def a_drift(seq: int, ratio: float, *, device: str = "station-1", version: int = 1) -> Report:
    feature = FeatureDrift(
        name="temperature",
        ratio=ratio,
        anderson_darling=ratio,
        triangular=0.0,
        psi=0.0,
        js=0.0,
        shift=0.0,
        shift_sd=0.0,
        missing_ratio=0.0,
    )
    return DriftReport(
        device=device,
        boot=1,
        seq=seq,
        at=START,
        model="rain",
        version=version,
        artifact=SHA,
        first_row=1,
        rows=256,
        closed=True,
        alarm=ratio >= 1,
        since_row=1 if ratio >= 1 else None,
        ratio=ratio,
        features=[feature],
        correlations=[],
        score_ratio=0.0,
    )


def an_event(seq: int, text: str, kind: EventKind = EventKind.COMMITTED) -> Report:
    return EventReport(device="station-1", boot=1, seq=seq, at=START + seq, kind=kind, text=text)
