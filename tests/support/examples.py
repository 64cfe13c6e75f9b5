"""One example of every message, with every field set: what the golden wire files hold."""

from fleetloop_shared import messages as m
from fleetloop_shared import reports as r
from fleetloop_shared.estimate.records import AccuracyReference, Estimate, LabelEvidence
from fleetloop_shared.label_messages import LabelMessage, LabelReceipt, RefusedLabel
from fleetloop_shared.manifest import (
    SCHEMA,
    Budget,
    Feature,
    Golden,
    Manifest,
    Signature,
    Transport,
)
from fleetloop_shared.profile import (
    DriftThresholds,
    LiveProfile,
    ReferenceFeature,
    ReferenceProfile,
    ScaleThresholds,
)
from fleetloop_shared.sampling import Reason, SamplingPolicy
from fleetloop_shared.system import ClockOffset, SystemHealth
from fleetloop_shared.trust import Bundle

SHA = "ab" * 32
OTHER_SHA = "cd" * 32
DEVICE = "station-1"

PROFILE = LiveProfile(
    rows=4,
    counts=[[1, 3], [0, 2]],
    missing=[0, 2],
    low=[-1.5, 0.0],
    high=[2.5, None],
    sums=[1, -1],
    near_sums=[1, -1],
    near_step=2,
    near_products=[1, 0, -1],
    score_counts=[0] * 31 + [4],
    out_of_range=[1, 0],
)

REFERENCE = ReferenceProfile(
    rows=10,
    features=[
        ReferenceFeature(name="t", edges=[0.5], counts=[4, 6], missing=0, mean=1.0, sd=2.0),
        ReferenceFeature(name="p", edges=[1.5], counts=[5, 3], missing=2, mean=0.0, sd=1.0),
    ],
    correlations=[0.25],
    score_counts=[10] + [0] * 31,
)

MANIFEST = Manifest(
    schema=SCHEMA,
    model="rain",
    version=2,
    sha256=SHA,
    length_bytes=20_000,
    transport=Transport(
        encoding="zlib",
        sha256=OTHER_SHA,
        length_bytes=10_000,
        chunk_bytes=8_192,
        chunks=[SHA, OTHER_SHA],
    ),
    signature=Signature(
        input_name="features",
        score_name="probabilities",
        features=[Feature(name="t", unit="°F", low=-60.0, high=130.0), Feature(name="p")],
        classes=[0, 1],
        positive=1,
        decision_threshold=0.5,
    ),
    reference=REFERENCE,
    thresholds=DriftThresholds(
        window_rows=64,
        false_alarms_per_million_rows=1.0,
        scales=[
            ScaleThresholds(
                rows=64,
                anderson_darling=[2.0, 3.0],
                triangular=[0.1, 0.2],
                rare=[20.0, 20.0],
                correlation=4.0,
                score=0.3,
            )
        ],
    ),
    golden=Golden(inputs=[[1.0, None]], outputs=[[0.25, 0.75]], tolerance=0.001),
    budget=Budget(artifact_bytes=100_000, latency_ms=5.0, memory_bytes=64_000_000),
    floor=1,
    hardware=["pi4"],
    dataset=OTHER_SHA,
    run="rain-0002",
    created_at=1_790_000_000.5,
    accuracy=AccuracyReference(
        metric="accuracy",
        value=0.75,
        low=0.5,
        high=0.875,
        rows=4,
        counts=[4] + [0] * 31,
        expected=[0.75] + [0.0] * 31,
        spread=[0.5] + [0.0] * 31,
        loss_bound=0.5,
        loss_cap=1.0,
        bound_from="gate",
        balanced=[0, 1],
    ),
)

RELEASE = m.Release(model="rain", version=2, manifest_sha256=SHA, manifest_bytes=9_000)
CONTROL = m.Release(model="rain", version=1, manifest_sha256=OTHER_SHA, manifest_bytes=8_000)

BUNDLE = Bundle(
    roots=["root 1", "root 2"],
    timestamp="timestamp",
    snapshot="snapshot",
    targets="targets",
    files={"cohorts/default.json": "{}"},
)

MESSAGES: list[m.Message] = [
    BUNDLE,
    m.DeviceState(online=True, boot=3, conn=2, agent="0.1.0", hardware="x86-64", artifact=SHA),
    m.ReportedState(
        at=1_790_000_000.5,
        boot=3,
        sequence=7,
        state="fetching",
        model="rain",
        version=1,
        artifact=SHA,
        target=2,
        chunks_have=3,
        chunks_total=9,
        attempts_left=3,
        error="the self-test failed",
        refusals={"rollback": 1},
        resumed_fetches=1,
        quarantined=[OTHER_SHA],
        free_bytes=1_000_000,
        slots=[SHA, OTHER_SHA],
        image_version=4,
        director_version=9,
        trusted_until=1_790_600_000.5,
        time_floor=1_790_000_000.5,
        waits_for="outside the hours in which a trial may begin: 02:00-05:00",
        waits_until=1_790_010_000.0,
    ),
    r.DriftReport(
        device=DEVICE,
        boot=3,
        seq=11,
        at=1_790_000_000.5,
        model="rain",
        version=1,
        artifact=SHA,
        first_row=65,
        rows=64,
        closed=True,
        alarm=True,
        since_row=65,
        ratio=2.5,
        features=[
            r.FeatureDrift(
                name="t",
                ratio=2.5,
                anderson_darling=12.5,
                triangular=0.5,
                rare=0.0,
                psi=0.25,
                js=0.125,
                shift=20.5,
                shift_sd=1.5,
                missing_ratio=0.25,
            )
        ],
        correlations=[r.CorrelationDrift(a="t", b="p", reference=0.5, live=-0.5, ratio=1.25)],
        score_ratio=0.5,
        estimate=Estimate(
            metric="accuracy", rows=64, value=0.75, low=0.5, high=1.0, refused="few rows"
        ),
    ),
    r.ProfileReport(
        device=DEVICE,
        boot=3,
        seq=12,
        at=1_790_000_000.5,
        model="rain",
        version=1,
        first_row=65,
        profile=PROFILE,
    ),
    r.HealthReport(
        device=DEVICE,
        boot=3,
        seq=13,
        at=1_790_000_000.5,
        model="rain",
        version=1,
        uptime_s=60.5,
        rows=64,
        errors=1,
        refused=2,
        latency_counts=[0, 0, 3, 1] + [0] * 44,
        latency_p50_ms=0.25,
        latency_p99_ms=1.5,
        rss_bytes=60_000_000,
        outbox=3,
        outbox_bytes=900,
        unkept=1,
        labels=10,
        labels_correct=8,
        inputs=2,
        system=SystemHealth(
            agent_cpu_ratio=0.125,
            machine_cpu_ratio=0.5,
            memory_available_bytes=400_000_000,
            memory_total_bytes=1_000_000_000,
            disk_free_bytes=2_000_000_000,
            disk_total_bytes=8_000_000_000,
            temperature_c=61.5,
            machine_uptime_s=3600.5,
        ),
        clock=ClockOffset(offset_s=-0.25, uncertain_s=0.0625),
        evidence=LabelEvidence(
            labels=200,
            metric="accuracy",
            value=0.625,
            demanded=0.75,
            demanded_by="gate",
            e_value=64.0,
            largest=128.0,
            alarm=True,
            since_label=190,
        ),
    ),
    r.SampleReport(
        device=DEVICE,
        boot=3,
        seq=14,
        at=1_790_000_000.5,
        model="rain",
        samples=[
            r.Sample(
                prediction_id="station-1.3.1",
                at=1_790_000_000.25,
                values=[1.5, None],
                score=0.75,
                label=1,
                version=1,
                reason=Reason.LOW_CONFIDENCE,
                probability=0.5,
            )
        ],
        withheld=["rain"],
    ),
    r.LabelReport(
        device=DEVICE,
        boot=3,
        seq=15,
        at=1_790_000_000.5,
        labels=[r.Label(prediction_id="station-1.3.1", label=0, at=1_790_000_000.5)],
    ),
    r.EventReport(
        device=DEVICE,
        boot=3,
        seq=16,
        at=1_790_000_000.5,
        kind=r.EventKind.COMMITTED,
        text="version 2 serves healthily",
        version=2,
        artifact=SHA,
        reason="rollback",
        topic="fleetloop/v1/cohorts/default/director",
        content=SHA,
    ),
    m.ChunkRequest(sha256=SHA, missing=[0, 4]),
    m.Ack(boot=3, seqs=[11, 12], at=1_790_000_000.75),
    m.DesiredState(
        cohort="default",
        sequence=7,
        rollout="rain-2-default-2",
        salt="rain-2-default-2-0",
        phase=2_500,
        release=RELEASE,
        control=CONTROL,
        floor=1,
        issued_at=1_790_000_000.5,
        soak_rows=20,
        soak_s=60.0,
        sampling=SamplingPolicy(
            random_share=0.5,
            low_confidence=0.25,
            out_of_range=True,
            disagreement=True,
            drifted_first=True,
            bytes_per_day=2_000_000,
            never=["rain"],
        ),
        start_not_before=1_790_000_010.5,
        spread_s=30.0,
        deadline=1_790_086_400.5,
    ),
    m.HubState(online=True, at=1_790_000_000.5),
    LabelMessage(
        id="batch-1",
        labels=[r.Label(prediction_id="station-1.3.1", label=0, at=1_790_000_000.5)],
    ),
    LabelReceipt(
        id="batch-1",
        joined=3,
        waiting=2,
        duplicate=1,
        refused=[
            RefusedLabel(
                place=4,
                prediction_id="station-9.1.1",
                reason="unknown",
                text="'station-9.1.1' is of no enrolled device",
            )
        ],
        refused_count=1,
    ),
    m.EnrolRequest(token="secret", device=DEVICE, hardware="x86-64", agent="0.1.0"),
    m.EnrolAnswer(
        device=DEVICE,
        cohort="default",
        broker="mqtt://127.0.0.1:1883",
        username=DEVICE,
        password="password",
        image_root="image root 1",
        director_root="director root 1",
    ),
]
