"""Ways to make a model small that have been measured to ruin it: none of them is gone."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier

from fleetloop_hub.errors import TrainingError, UnsupportedModelError
from fleetloop_hub.packaging import packing
from fleetloop_hub.packaging.artifact import Artifact, Outputs
from fleetloop_hub.packaging.conversion import convert, float_graph
from fleetloop_hub.packaging.files import files
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.forest import Tree, plant, round_down, shorten
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.packing import CONVERTED, Trial, pack
from fleetloop_hub.packaging.parity import label_flips
from fleetloop_hub.packaging.preparation import Preparation
from fleetloop_hub.packaging.quantizing import DYNAMIC, STATIC, WEIGHTS, quantized_variants
from fleetloop_hub.packaging.tree_ensemble import rounded
from fleetloop_hub.packaging.weights import Kept, to_int8
from fleetloop_hub.spec.scalars import Task
from support.fitted_models import Example, Rows, example, labels

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def plain(width: int, mean: Any = 0.0, sd: Any = 1.0) -> Preparation:  # noqa: ANN401  # arrays too
    """Numbers that are filled with 0 and scaled as said."""
    infinite = np.full(width, np.inf, np.float32)
    return Preparation(
        fill=np.zeros(width, np.float32),
        blank_low=-infinite,
        blank_high=infinite,
        low=-infinite,
        high=infinite,
        categories=(0,) * width,
        mean=np.broadcast_to(np.float32(mean), (width,)),
        sd=np.broadcast_to(np.float32(sd), (width,)),
        one_hot=True,
    )


def mixed_scales() -> tuple[Fitted, Rows, npt.NDArray[np.float64]]:
    """A linear model on columns whose scales differ a millionfold, and fresh rows."""
    rng = np.random.default_rng(4)
    sd = np.array([1000.0, 0.001, 10.0, 0.1], np.float32)
    z = rng.normal(size=(900, 4))
    score = z @ [1.0, -1.2, 0.8, 1.1]
    y = np.digitize(score, [-1.0, 0.0, 1.0]).astype(np.float64)
    values = (z * sd).astype(np.float32)
    preparation = plain(4, 0.0, sd)
    model = LogisticRegression(max_iter=500).fit(preparation.transform(values[:600]), y[:600])
    return Fitted("linear", "classification", preparation, model, {}), values[600:], y[600:]


def test_a_scaler_is_never_folded_into_int8_weights() -> None:
    """Folded, one scale has to do for weights a millionfold apart: most become 0."""
    fitted, values, truth = mixed_scales()
    weights = fitted.estimator.coef_.T.astype(np.float32)
    scale, steps = to_int8(weights / fitted.preparation.sd[:, None])
    folded = values @ (steps * scale) + fitted.estimator.intercept_
    exact = (fitted.raw(values).argmax(axis=1) == truth).mean()
    assert (folded.argmax(axis=1) == truth).mean() < exact - 0.2
    data = dict(files(fitted, Head()))["int8 weights"]
    found = onnxruntime.InferenceSession(data).run(None, {"features": values})[0]
    assert (found.argmax(axis=1) == truth).mean() > exact - 0.01


def test_outputs_of_mixed_scales_have_a_scale_each() -> None:
    weights = np.random.default_rng(0).normal(size=(50, 2)) * [100.0, 0.001]
    scale, steps = to_int8(weights.astype(np.float32))
    worst = np.abs(steps * scale - weights).max(axis=0)
    assert (worst < 0.005 * np.abs(weights).max(axis=0)).all()


def test_static_int8_keeps_what_columns_of_mixed_scales_say() -> None:
    fitted, values, truth = mixed_scales()
    exact = (fitted.raw(values).argmax(axis=1) == truth).mean()
    data = dict(files(fitted, Head()))["float32"] + b""
    for recipe, made in quantized_variants(data, values[:100]):
        found = onnxruntime.InferenceSession(made).run(None, {"features": values})[0]
        assert (found.argmax(axis=1) == truth).mean() > exact - 0.03, recipe


def test_int8_of_what_flows_between_layers_is_no_smaller_than_of_weights_alone() -> None:
    """So that a row's answer need not depend on its batch; see ADR 0012."""
    case = example("several", "mlp")
    made = dict(quantized_variants(dict(files(case.fitted, case.head))["float32"], case.learned))
    for recipe in {STATIC, DYNAMIC} & set(made):
        assert len(made[WEIGHTS]) <= len(made[recipe])


@given(x=FLOATS, threshold=st.floats(-3.5e38, 3.5e38))
def test_a_float32_row_goes_the_way_it_goes_in_float64(x: float, threshold: float) -> None:
    [rounded_down] = round_down(np.array([threshold]))
    assert (np.float32(x) <= rounded_down) == (np.float64(x) <= threshold)


@given(x=FLOATS)
def test_a_threshold_just_below_a_row_stays_below_it(x: float) -> None:
    below = np.nextafter(np.float64(x), -np.inf)
    [rounded_down] = round_down(np.array([below]))
    assert not np.float32(x) <= rounded_down


def test_trees_on_scaled_columns_are_not_written_as_float32() -> None:
    """Scaled values are float64 to scikit-learn: some float32 rows would go the other way."""
    x = np.random.default_rng(0).normal(size=(80, 2))
    model = RandomForestClassifier(3, random_state=0).fit(x, (x[:, 0] > 0).astype(float))
    fitted = Fitted("random-forest", "classification", plain(2, 0.1, 3.0), model, {})
    with pytest.raises(UnsupportedModelError, match="standardised"):
        list(files(fitted, Head(positive=1)))


def test_a_forest_of_an_even_number_of_trees_is_exact_at_its_ties() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(400, 4)).astype(np.float32)
    y = (values[:, 0] + rng.normal(0, 1, 400) > 0).astype(np.float64)
    preparation = plain(4)
    model = RandomForestClassifier(20, random_state=0).fit(
        preparation.transform(values[:200]), y[:200]
    )
    fitted = Fitted("random-forest", "classification", preparation, model, {})
    exact = fitted.raw(values).astype(np.float32)
    ties = exact[:, 0] == exact[:, 1]
    assert ties.sum() > 5
    form = structs.replace(example("two", "random-forest").signature, features=[])
    for recipe, data in files(fitted, Head(positive=1)):
        found = Artifact(data, form).outputs(values)
        assert label_flips(found, exact, form) == 0, recipe
        assert (found[ties, 0] == found[ties, 1]).all(), recipe


@pytest.mark.parametrize("neighbours", [1, 4, 15])
@pytest.mark.parametrize("form", [KNeighborsClassifier, KNeighborsRegressor])
def test_of_equally_near_rows_the_first_counts(
    form: type[KNeighborsClassifier | KNeighborsRegressor], neighbours: int
) -> None:
    rng = np.random.default_rng(0)
    grid = rng.integers(0, 4, (300, 3)).astype(np.float32)
    y, preparation = rng.integers(0, 3, 300).astype(np.float64), plain(3)
    model = form(neighbours).fit(preparation.transform(grid), y)
    task: Task = "classification" if form is KNeighborsClassifier else "regression"
    fitted = Fitted("knn", task, preparation, model, {})
    data = dict(files(fitted, Head()))["float32"]
    fresh = rng.integers(0, 4, (100, 3)).astype(np.float32)
    found = onnxruntime.InferenceSession(data).run(None, {"features": fresh})[0]
    np.testing.assert_allclose(found, fitted.raw(fresh), atol=1e-5)
    if neighbours == 1:
        away = ((fresh[:, None] - grid) ** 2).sum(axis=2)
        np.testing.assert_array_equal(
            fitted.raw(fresh).argmax(axis=1) if task[0] == "c" else fitted.raw(fresh)[:, 0],
            y[away.argmin(axis=1)],
        )


def test_one_tree_with_large_leaves_does_not_drown_the_others() -> None:
    """A scale for all trees costs nearly a point where the first tree carries the mean."""
    values = np.array([500.0, 510.0, 0.011, -0.013])
    tree = np.array([0, 0, 1, 1])
    near = rounded(values, tree, 8)
    assert np.abs(near - values)[2:].max() < 0.0001
    assert np.abs(near - values)[:2].max() <= 4


def test_thresholds_get_fewer_digits_and_no_known_row_another_leaf() -> None:
    case = example("two", "extra-trees")
    seen = case.fitted.preparation.transform(case.learned).astype(np.float32)
    forest = plant([_stump(t) for t in (0.1234567, -0.3333333, 1e-3)])
    short = shorten(forest, seen[:, :1])
    np.testing.assert_array_equal(forest.leaves(seen[:, :1]), short.leaves(seen[:, :1]))
    digits = [int(t.view(np.uint32)) & 0xFFFF for t in short.threshold]
    assert digits == [0, 0, 0]


def _stump(threshold: float) -> Tree:
    return Tree(
        is_leaf=np.array([False, True, True]),
        feature=np.zeros(3, np.int64),
        threshold=np.array([threshold, 0, 0]),
        left=np.array([1, 0, 0]),
        right=np.array([2, 0, 0]),
        values=np.array([[0.0], [1.0], [2.0]]),
    )


class Endless:
    """An estimator whose conversion does not come to an end, as QuantileTransformer's."""

    def __reduce__(self) -> tuple[Any, ...]:
        return time.sleep, (600,)


def test_a_conversion_that_does_not_end_is_ended() -> None:
    converted = convert(Endless(), 2, limit_s=0.3)
    assert converted.data is None
    assert converted.why == "skl2onnx did not come to an end in 0.3 s"


class Broken:
    """An estimator that falls apart on its way."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)


def near(case: Example) -> Trial:
    """A trial in which all that counts is what the model says."""
    want = case.fitted.raw(case.fresh)
    return Trial(case.fresh, lambda found: -float(np.abs(found - want).mean()), 0.01, 0.01)


def test_int8_between_the_layers_is_tried_where_int8_weights_alone_lose_too_much() -> None:
    case = network((128, 64), "relu")
    weights = dict(files(case.fitted, case.head))[Kept.INT8]
    refused = Artifact(weights, case.signature).outputs(case.fresh)

    def measure(found: Outputs) -> float:
        return 0.0 if np.array_equal(found, refused) else 1.0

    trial = Trial(case.fresh, measure, 0.01, 1.0, learned=case.learned, calibration_rows=64)
    packed = pack(case.fitted, case.head, case.signature, trial)
    halves = pack(case.fitted, case.head, case.signature, replace(trial, learned=None))
    assert halves.recipe == Kept.FLOAT16
    assert packed.recipe == STATIC
    assert len(packed.data) < len(halves.data)


def test_a_forest_that_has_learned_nothing_says_the_same_to_everybody() -> None:
    x = np.zeros((30, 2))
    y = np.arange(30) % 3
    model = RandomForestClassifier(4, random_state=0).fit(x, y)
    fitted = Fitted("random-forest", "classification", plain(2), model, {})
    rows = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    for recipe, data in files(fitted, Head(), rows):
        found = onnxruntime.InferenceSession(data).run(None, {"features": rows})[0]
        np.testing.assert_allclose(found, fitted.raw(rows), atol=0.005, err_msg=recipe)


def network(hidden: tuple[int, ...], units: str) -> Example:
    """A network of two classes."""
    case = example("two", "mlp")
    x = case.fitted.preparation.transform(case.learned)
    model = MLPClassifier(hidden, activation=units, max_iter=20, tol=1e9, random_state=0)
    model.fit(x, labels(case.learned, "two"))
    return Example(
        Fitted("mlp", "classification", case.fitted.preparation, model, {}),
        case.head,
        case.signature,
        case.learned,
        case.fresh,
    )


def test_a_model_without_a_lean_graph_is_written_by_skl2onnx_and_says_so() -> None:
    case = network((4,), "identity")  # units that no lean graph knows
    packed = pack(case.fitted, case.head, case.signature, near(case))
    assert packed.recipe == CONVERTED
    assert packed.note == "no lean graph: a network with 'identity' units"
    found = Artifact(packed.data, case.signature).outputs(case.fresh)
    np.testing.assert_allclose(found, case.fitted.raw(case.fresh), atol=1e-5)


def test_a_model_that_nobody_can_write_ends_its_candidate_with_both_reasons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = network((4,), "identity")  # units that no lean graph knows
    monkeypatch.setattr(packing, "float_graph", lambda f, h: float_graph(f, h, limit_s=0.01))
    with pytest.raises(
        TrainingError, match="'identity' units, and skl2onnx did not come to an end"
    ):
        pack(case.fitted, case.head, case.signature, near(case))


def test_a_conversion_that_fails_says_why() -> None:
    converted = convert(Broken(), 2)
    assert converted.data is None
    assert converted.why.startswith("skl2onnx cannot convert it: ValueError: invalid literal")
