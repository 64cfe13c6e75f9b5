"""Whatever the evidence: the decision is total, the same each time, and within the policy."""

import dataclasses

from hypothesis import given, settings
from hypothesis import strategies as st

from fleetloop_hub.records import Verdict
from fleetloop_hub.retraining.decide import decide, standing
from fleetloop_hub.retraining.evidence import (
    DeviceDrift,
    Estimated,
    Evidence,
    LabelLoss,
    Predecessor,
)
from fleetloop_hub.retraining.rules import RULES
from fleetloop_hub.spec.retrain_table import RetrainTable
from fleetloop_hub.verdict_records import FleetVerdict, Odd, Who

SMALL = st.integers(0, 8)
COUNTS = st.integers(0, 2_000)
SHARES = st.floats(0, 1)


@st.composite
def drifts(draw: st.DrawFn) -> list[DeviceDrift]:
    alarms = draw(st.lists(SMALL, max_size=6))
    return [
        DeviceDrift(f"d{k}", many, 0 if many else draw(SMALL), 2.0 if many else 0.5, "t")
        for k, many in enumerate(alarms)
    ]


@st.composite
def verdicts(draw: st.DrawFn) -> FleetVerdict:
    odd = [
        Odd(name=name, rows=9, ratio=2.0, differences=[])
        for name in draw(st.lists(st.sampled_from(["d0", "d1"]), unique=True))
    ]
    return FleetVerdict(
        model="m",
        version=1,
        who=draw(st.sampled_from(Who)),
        text="somebody has moved",
        reasons=[],
        devices=odd,
        cohorts=[],
        ratio=1.0,
        moved=[],
        judged=6,
        rows=9,
        unjudged=[],
    )


LOSSES = st.builds(
    LabelLoss,
    text=st.just("what labels say"),
    labels=COUNTS,
    value=st.none() | SHARES,
    demanded=SHARES,
    proven=st.booleans(),
    well=st.booleans(),
    shared=st.booleans(),
    device=st.sampled_from(["", "d0"]),
)
ESTIMATES = st.builds(
    Estimated,
    metric=st.just("accuracy"),
    demanded=SHARES,
    value=SHARES,
    high=SHARES,
    refused=st.sampled_from(["", "too few rows"]),
)
BEFORE = st.builds(
    Predecessor,
    version=st.just(1),
    rows=COUNTS,
    value=SHARES,
    champion_value=SHARES,
    low=st.floats(-1, 1),
    metric=st.just("accuracy"),
    hindrance=st.sampled_from(["", "archived"]),
)
EVIDENCE = st.builds(
    Evidence,
    drift=drifts(),
    labels=COUNTS,
    since_training_s=st.floats(0, 1e6) | st.just(float("inf")),
    busy=st.none() | st.just("a run is under way"),
    verdict=st.none() | verdicts(),
    learned=st.none() | st.just("learned from"),
    fresh_labels=st.none() | COUNTS,
    trainings=SMALL,
    cure=st.none() | st.just("a rollout is under way"),
    loss=st.none() | LOSSES,
    estimated=st.none() | ESTIMATES,
    predecessor=st.none() | BEFORE,
    asked=st.sampled_from(["", "", "to see"]),
    held=st.dictionaries(st.sampled_from(["drift", "accuracy"]), SMALL),
    spent=st.dictionaries(st.sampled_from(["drift", "accuracy"]), COUNTS),
)
POLICIES = st.builds(
    RetrainTable,
    by_drift=st.booleans(),
    by_accuracy=st.booleans(),
    by_estimate=st.booleans(),
    every_h=st.sampled_from([0.0, 24.0]),
    new_labels=st.sampled_from([0, 300]),
    drift_devices=st.sampled_from([0.25, 0.5, 1.0]),
    drift_without_loss=st.sampled_from(["retrain", "wait"]),
    min_labels=st.sampled_from([1, 500]),
    hold_looks=st.sampled_from([1, 3]),
    cooldown_s=st.sampled_from([0.0, 3_600.0]),
    most_a_day=st.sampled_from([1, 5]),
    roll_back=st.booleans(),
)
CASES = settings(max_examples=150, deadline=None)


@CASES
@given(EVIDENCE, POLICIES)
def test_decision_is_total_and_the_same_each_time_and_says_why_not_otherwise(
    evidence: Evidence, policy: RetrainTable
) -> None:
    advice = decide(evidence, policy)
    assert advice == decide(evidence, policy)
    assert advice.reasons
    assert all(advice.reasons)
    assert advice.rule in {rule.name for rule in RULES}
    assert {a.verdict for a in advice.alternatives} >= set(Verdict) - {advice.verdict}
    assert all(a.text for a in advice.alternatives)
    assert (advice.version is not None) >= (advice.verdict is Verdict.ROLL_BACK)


@CASES
@given(EVIDENCE, POLICIES)
def test_nothing_is_retrained_within_cool_down_or_beyond_the_budget(
    evidence: Evidence, policy: RetrainTable
) -> None:
    advice = decide(evidence, policy)
    if advice.verdict is not Verdict.RETRAIN:
        return
    assert evidence.busy is None
    if advice.trigger != "person":
        assert evidence.since_training_s >= policy.cooldown_s
        assert evidence.trainings < policy.most_a_day
        assert evidence.learned is None
        assert evidence.held.get(advice.trigger, 3) >= policy.hold_looks


@CASES
@given(EVIDENCE, POLICIES)
def test_nothing_is_retrained_or_taken_back_on_one_device_s_word(
    evidence: Evidence, policy: RetrainTable
) -> None:
    advice = decide(evidence, policy)
    alarmed = [d for d in evidence.drift if d.alarms]
    if advice.verdict is Verdict.RETRAIN and advice.trigger == "drift":
        assert len(alarmed) >= policy.drift_devices * len(evidence.drift)
    if advice.verdict in {Verdict.RETRAIN, Verdict.ROLL_BACK} and advice.trigger == "accuracy":
        assert evidence.loss is not None
        assert evidence.loss.proven
        assert evidence.loss.shared


@CASES
@given(EVIDENCE, POLICIES)
def test_nothing_is_retrained_by_drift_while_an_odd_device_alone_has_moved(
    evidence: Evidence, policy: RetrainTable
) -> None:
    verdict = evidence.verdict
    alarmed = {d.device for d in evidence.drift if d.alarms}
    if verdict is None or verdict.who is not Who.DEVICES or not alarmed:
        return
    if alarmed <= {odd.name for odd in verdict.devices}:
        advice = decide(evidence, policy)
        assert advice.verdict is not Verdict.RETRAIN or advice.trigger not in {"drift", "estimate"}


@CASES
@given(EVIDENCE, POLICIES, st.integers(0, 5))
def test_more_alarms_never_make_it_wait(
    evidence: Evidence, policy: RetrainTable, also: int
) -> None:
    plain = dataclasses.replace(evidence, verdict=None)
    if decide(plain, policy).verdict is not Verdict.RETRAIN:
        return
    louder = [
        dataclasses.replace(d, alarms=max(d.alarms, 1), quiet=0) if k == also else d
        for k, d in enumerate(plain.drift)
    ]
    assert decide(dataclasses.replace(plain, drift=louder), policy).verdict is Verdict.RETRAIN


@CASES
@given(EVIDENCE, POLICIES)
def test_estimate_that_is_refused_triggers_nothing(
    evidence: Evidence, policy: RetrainTable
) -> None:
    refused = dataclasses.replace(evidence, estimated=Estimated("accuracy", 0.9, refused="few"))
    assert "estimate" not in standing(refused, policy)
