"""Every gate is seen to fail once, on a model that was really trained, for the reason it is for."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from fleetloop_hub.packaging.packing import Packed
from fleetloop_hub.spec.model_spec import ModelSpec
from fleetloop_hub.spec.reading import parse
from fleetloop_hub.spec.training_tables import BudgetTable
from fleetloop_hub.spec.validation_tables import FairnessTable, GateTable
from fleetloop_hub.storage.blobs import FileBlobs
from fleetloop_hub.training.job import Champion, Job
from fleetloop_hub.training.prepared import prepare
from fleetloop_hub.training.run import Output, train
from fleetloop_hub.validation.exam import Exam
from fleetloop_hub.validation.examine import Papers, examine
from fleetloop_hub.validation.gates import judge
from fleetloop_hub.version_parts import GateResult
from support.learnable import as_champion, from_csv, job, silent

SPEC = """
[model]
name = "toy"
seed = 3
[[sources]]
csv = "toy.csv"
[rows]
time = "t"
[label]
column = "y"
[[features]]
name = "a"
low = -100.0
high = 100.0
[[features]]
name = "b"
[[slices]]
column = "place"
[[candidates]]
name = "forest"
family = "random-forest"
trees = 20
depth = 6
[gates]
metric = "accuracy"
floor = 0.6
slice_rows = 30
[fairness]
groups = ["group"]
[drift]
window_rows = 32
"""


def rows(count: int = 1_500, *, told: bool = True, seed: int = 0) -> str:
    """A CSV file; in its newest fifth more labels are 1, as if the world had changed.

    `b` has a few values far away, so that its standard deviation is large; in the south the label
    is noise; the old are answered yes less often than their labels are. Without `told`, labels are
    noise everywhere.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(count)
    a, b = rng.normal(0, 10, count), rng.normal(5, 0.1, count)
    old, south = rng.random(count) < 0.3, rng.random(count) < 0.2
    pull = a / 10 + (b - 5) * 30 + rng.normal(0, 0.6, count) + (t > 0.8 * count)
    a = a - 8 * old
    y = np.where(south, rng.random(count) < 0.5, pull > 0)
    b = np.where(rng.random(count) < 0.03, 45.0, b)
    y = y if told else rng.random(count) < 0.5
    body = [
        f"{t[i]},{a[i]:.4f},{b[i]:.5f},{'old' if old[i] else 'young'},"
        f"{'south' if south[i] else 'north'},{int(y[i])}"
        for i in range(count)
    ]
    return "\n".join(["t,a,b,group,place,y", *body]) + "\n"


@dataclass(frozen=True)
class Bench:
    """A spec that demands little, and two candidates as the gates see them.

    Attributes:
        spec: The spec.
        good: Has learned from the rows, and has no champion.
        noise: Has learned from labels that are noise; `good` is its champion and its float file.
    """

    spec: ModelSpec
    good: Exam
    noise: Exam


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("gates")
    blobs, spec = FileBlobs(folder / "blobs"), parse(SPEC)

    def trained(text: str) -> tuple[Job, Output]:
        (folder / "toy.csv").write_text(text)
        work = job(SPEC, from_csv(spec, folder / "toy.csv", blobs, 1.0), blobs)
        return work, train(work, silent)

    _, noise = trained(rows(told=False))
    work, good = trained(rows())
    signature = good.result.manifest.signature

    def examined(artifact: bytes, champion: Champion | None) -> Exam:
        packed = Packed("", artifact, good.float_data, 0.0, 0.0)
        prepared = prepare(work)
        held_out = prepared.split.held_out
        older = prepared.frame.take(slice(0, len(prepared.frame) - len(held_out)))
        return examine(Papers(packed, signature, champion), older, held_out, spec)

    beaten = examined(noise.artifact, as_champion(good, blobs))
    return Bench(spec, examined(good.artifact, None), beaten)


def judged(bench: Bench, exam: Exam, **demands: float) -> dict[str, GateResult]:
    """The verdicts where the spec demands this as well, by name."""
    spec = bench.spec
    for table in ("gates", "fairness", "budget"):
        fields = getattr(spec, table).__struct_fields__
        own = {key: value for key, value in demands.items() if key in fields}
        changed = structs.replace(getattr(spec, table), **own)
        spec = structs.replace(spec, **{table: changed})
    return {gate.name: gate for gate in judge(exam, spec)[0]}


def test_a_good_model_passes_what_is_demanded_and_the_rest_is_shown(bench: Bench) -> None:
    found = judged(bench, bench.good)
    assert [g.text for g in found.values() if not g.passed] == []
    assert [g.name for g in found.values() if not g.judged] == [
        "worst slice",
        "calibration",
        "missing values",
        "noise",
        "out of range",
    ]
    lenient = judged(
        bench,
        bench.good,
        slice_floor=0.2,
        calibration_error=0.4,
        missing_loss=0.3,
        noise_loss=0.4,
        range_loss=0.5,
        selection_gap=0.6,
        selection_ratio=0.1,
        true_positive_gap=0.6,
        false_positive_gap=0.6,
    )
    assert [g.text for g in lenient.values() if not g.passed or not g.judged] == []


CASES: list[tuple[str, str, dict[str, float], str]] = [
    ("floor", "noise", {"floor": 0.6}, r"accuracy 0\.\d+ on 300 .* misses the floor of 0\.600"),
    ("champion", "noise", {"champion_margin": 0.05}, "below the margin of -0.050; the champion"),
    (
        "label flips",
        "noise",
        {"label_flips": 0.02},
        r"changes 1\d\d of 300 answers.* more than the 2",
    ),
    ("worst slice", "good", {"slice_floor": 0.6}, r"where place is south .* misses the floor of"),
    ("calibration", "good", {"calibration_error": 0.04}, r"more than the 0\.040 allowed; try"),
    ("missing values", "good", {"missing_loss": 0.005}, r"more than the 0\.005 allowed; fill"),
    ("noise", "good", {"noise_loss": 0.02}, r"more than the 0\.020 allowed; prefer a smoother"),
    ("out of range", "good", {"range_loss": 0.01}, r"more than the 0\.010 allowed; give the"),
    (
        "artifact size",
        "good",
        {"artifact_bytes": 100},
        "more than the budget of 100; name a smaller",
    ),
    ("latency", "good", {"latency_ms": 1e-6}, "ms a row at the hub, more than the budget of 1e-06"),
    ("load time", "good", {"load_ms": 1e-6}, "ms from bytes to the first answer .* more than"),
    ("memory", "good", {"memory_bytes": 1}, "adds up to .* bytes of memory, more than the budget"),
    (
        "fairness: group selection gap",
        "good",
        {"selection_gap": 0.05},
        r"yes: 0\.\d+ .* where group is young; 0\.\d+ .* where group is old.* at most 0\.05",
    ),
    (
        "fairness: group selection ratio",
        "good",
        {"selection_ratio": 0.95},
        r"the selection ratio is 0\.\d+ .* but at least 0\.95 is allowed; make group a feature",
    ),
    (
        "fairness: group true positive gap",
        "good",
        {"true_positive_gap": 0.05},
        r"of the positive rows are answered yes.* but at most 0\.05 is allowed",
    ),
    (
        "fairness: group false positive gap",
        "good",
        {"false_positive_gap": 0.02},
        r"of the negative rows are answered yes.* but at most 0\.02 is allowed",
    ),
]


@pytest.mark.parametrize(("name", "exam", "demand", "told"), CASES, ids=[case[0] for case in CASES])
def test_the_gate_fails_for_its_reason_and_no_other_with_it(
    bench: Bench, name: str, exam: str, demand: dict[str, float], told: str
) -> None:
    found = judged(bench, getattr(bench, exam), **demand)
    assert not found[name].passed
    assert re.search(told, found[name].text), found[name].text
    assert found[name].value is not None
    others = {other for other in found if other != name and not found[other].passed}
    assert others == ({"floor", "champion", "label flips"} - {name} if exam == "noise" else set())


def test_there_is_a_case_for_every_demand_that_a_spec_can_make() -> None:
    not_gates = {
        "metric",
        "held_out",
        "slice_rows",
        "approval",
        "groups",
        "group_rows",
        "mitigation",
    }
    known = {
        *GateTable.__struct_fields__,
        *FairnessTable.__struct_fields__,
        *BudgetTable.__struct_fields__,
    }
    assert {key for _, _, demand, _ in CASES for key in demand} == known - not_gates


@pytest.mark.parametrize(
    ("demand", "name", "told"),
    [
        ({"slice_floor": 0.5, "slice_rows": 900}, "worst slice", "no slice has 900 rows"),
        (
            {"selection_gap": 0.5, "group_rows": 290},
            "fairness: group selection gap",
            "fewer than two groups of group have 290 rows",
        ),
    ],
)
def test_what_is_demanded_and_cannot_be_judged_has_failed(
    bench: Bench, demand: dict[str, float], name: str, told: str
) -> None:
    found = judged(bench, bench.good, **demand)[name]
    assert (found.passed, found.judged, found.value) == (False, True, None)
    assert f"cannot be judged: {told}" in found.text
    assert "take this demand out of the spec" in found.text


@pytest.mark.parametrize("mitigation", ["none", "group-thresholds"])
def test_an_unfair_winner_is_blocked_and_thresholds_of_groups_are_offered(
    tmp_path: Path, mitigation: str
) -> None:
    text = SPEC.replace(
        "[[slices]]",
        '[[features]]\nname = "group"\nkind = "category"\n'
        'categories = ["old", "young"]\n[[slices]]',
    ).replace(
        'groups = ["group"]',
        f'groups = ["group"]\ntrue_positive_gap = 0.3\nmitigation = "{mitigation}"',
    )
    (tmp_path / "toy.csv").write_text(people())
    blobs = FileBlobs(tmp_path / "blobs")
    dataset = from_csv(parse(text), tmp_path / "toy.csv", blobs, 1.0)
    result = train(job(text, dataset, blobs), silent).result
    gate = next(g for g in result.gates if g.name == "fairness: group true positive gap")
    if mitigation == "none":
        assert not gate.passed
        assert 'try fairness.mitigation = "group-thresholds"' in gate.text
        assert result.evidence.thresholds == []
        return
    assert gate.passed, gate.text
    assert result.run.chosen == "forest-fair"
    lower = {t.value: t.threshold for t in result.evidence.thresholds}
    assert lower["old"] < lower.get("young", 0.5)


def people(count: int = 1_500) -> str:
    """A CSV file in which a yes is rarer among the old, and harder to see."""
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 10, count), rng.normal(5, 0.1, count)
    old = rng.random(count) < 0.3
    y = a / 10 - 1.0 * old + rng.normal(0, 0.4 + 0.8 * old, count) > 0
    body = [
        f"{t},{a[t]:.4f},{b[t]:.5f},{'old' if old[t] else 'young'},north,{int(y[t])}"
        for t in range(count)
    ]
    return "\n".join(["t,a,b,group,place,y", *body]) + "\n"


ODD = """
[model]
name = "toy"
task = "anomaly"
[[sources]]
csv = "toy.csv"
[rows]
time = "t"
[[features]]
name = "a"
[[features]]
name = "b"
[[candidates]]
name = "forest"
family = "isolation-forest"
trees = 20
contamination = 0.05
[gates]
metric = "roc_auc"
[drift]
window_rows = 32
"""


@pytest.mark.parametrize("changed", [False, True])
def test_without_labels_only_the_share_of_odd_rows_is_judged(
    tmp_path: Path, *, changed: bool
) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (2, 600))
    a[480:] += 6 * changed
    body = [f"{t},{a[t]:.4f},{b[t]:.4f}" for t in range(600)]
    (tmp_path / "toy.csv").write_text("\n".join(["t,a,b", *body]) + "\n")
    blobs = FileBlobs(tmp_path / "blobs")
    dataset = from_csv(parse(ODD), tmp_path / "toy.csv", blobs, 1.0)
    result = train(job(ODD, dataset, blobs), silent).result
    gate = next(g for g in result.gates if g.name == "flagged share")
    assert gate.passed is not changed, gate.text
    expected = "more than a factor of 3 from the" if changed else "within a factor of 3 of the"
    assert f"{expected} 5.00% expected" in gate.text
    assert [g.name for g in result.gates][1:] == [
        "label flips",
        "artifact size",
        "latency",
        "load time",
        "memory",
    ]
    assert "could not be judged" in result.evidence.notes[0]
