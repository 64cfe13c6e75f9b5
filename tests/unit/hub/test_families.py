"""Every family on every task it can do: what it learns, and that it learns it again."""

import numpy as np
import pytest

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.spec.scalars import Family
from fleetloop_hub.training.families import fit
from fleetloop_hub.training.fitting import svm
from support.families import EVERY, KINDS, fitted, frame, quick, rows_for, spec_for


@pytest.mark.parametrize(("kind", "family"), EVERY)
def test_every_family_learns_its_tasks_and_learns_them_again(kind: str, family: Family) -> None:
    one, newer = fitted(kind, family)
    raw = one.raw(newer.values)
    task, classes = KINDS[kind]
    assert raw.shape == (len(newer), len(classes) or 1)
    assert np.isfinite(raw).all()
    assert np.array_equal(raw, fitted(kind, family)[0].raw(newer.values))
    if task == "regression":
        assert np.corrcoef(raw[:, 0], newer.label)[0, 1] > 0.9
        assert abs(raw.mean() - newer.label.mean()) < 20
        return
    assert raw.min() >= 0
    assert raw.max() <= 1
    np.testing.assert_allclose(raw.sum(axis=1), 1)
    if task == "anomaly":
        assert raw[newer.label == 1, 1].min() > np.median(raw[newer.label == 0, 1])
    else:
        assert (raw.argmax(axis=1) == newer.label).mean() > 0.7
    assert one.notes == ()


@pytest.mark.parametrize("family", ["mlp", "gradient-boosting"])
@pytest.mark.parametrize("kind", ["two classes", "three classes", "values"])
def test_fitting_stops_at_the_best_round_on_newer_rows(kind: str, family: Family) -> None:
    one, newer = fitted(kind, family)
    curve = next(v for name, v in one.curves.items() if name.startswith("validation"))
    rounds = one.parameters["trees" if family == "gradient-boosting" else "epochs"]
    assert isinstance(rounds, int)
    kept = curve[rounds if family == "gradient-boosting" else rounds - 1]
    assert kept <= min(curve) * 1.01 + 1e-4
    if kind == "values":
        gap = float(np.mean((one.raw(newer.values)[:, 0] - newer.label) ** 2))
        assert gap == pytest.approx(kept, rel=1e-6)


@pytest.mark.parametrize(
    "family", ["linear", "mlp", "random-forest", "extra-trees", "gradient-boosting", "svm"]
)
def test_balanced_weights_raise_the_answer_of_a_rare_class(family: Family) -> None:
    rows = rows_for("two classes", 400)
    rare = rows.take((rows.label == 0) | (np.arange(400) % 8 == 0))
    train, newer = rare.take(slice(0, 150)), rare.take(slice(150, len(rare)))
    spec = spec_for("two classes")
    plain, balanced = (
        fit(quick(family, balanced=flag), spec, [0, 1], train, newer).raw(newer.values)[:, 1]
        for flag in (False, True)
    )
    assert balanced.mean() > plain.mean()


def test_scores_of_odd_rows_keep_their_order_in_float32_however_many_rows_there_are() -> None:
    rows = rows_for("oddities", 3_000)
    one = fit(quick("one-class-svm"), spec_for("oddities"), [0, 1], rows, rows)
    odd = one.raw(rows.values)[rows.label == 1, 1].astype(np.float32)
    assert len(np.unique(odd)) > 0.9 * len(odd)


def test_class_without_a_training_row_is_named() -> None:
    rows = rows_for("three classes")
    train = rows.take(rows.label != 2)
    with pytest.raises(TrainingError, match="none with the label 2, so it cannot be learned"):
        fit(quick("linear"), spec_for("three classes"), [0, 1, 2], train, rows)


def test_what_does_not_converge_becomes_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svm, "_ITERATIONS", 3)
    one, _ = fitted("three classes", "svm")
    assert len(one.notes) == 1
    assert one.notes[0].startswith("scikit-learn: Solver terminated early")


@pytest.mark.parametrize(("kind", "family"), EVERY)
def test_two_rows_a_missing_column_and_huge_values_are_survived(kind: str, family: Family) -> None:
    values = np.array([[1e38, np.nan, 5, 0], [-1e38, np.nan, 5, -1]], np.float32)
    two = frame(values, np.array([0.0, 1.0]))
    classes = KINDS[kind][1][:2]
    raw = fit(quick(family), spec_for(kind), classes, two, two).raw(values)
    assert np.isfinite(raw).all()
