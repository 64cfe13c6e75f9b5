"""Networks as files: the graph computes what the network says, small, stable and provable."""

from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
import pytest
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer

from fleetloop_hub.data.frame import Frame
from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging import conversion
from fleetloop_hub.packaging.artifact import Artifact, Outputs, Rows
from fleetloop_hub.packaging.assembly import signature
from fleetloop_hub.packaging.conversion import Converted, float_graph
from fleetloop_hub.packaging.converting import to_onnx
from fleetloop_hub.packaging.estimators import Estimator
from fleetloop_hub.packaging.files import files
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.golden import golden
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.packing import Trial, pack
from fleetloop_hub.packaging.parity import compare
from fleetloop_hub.packaging.preparation import Preparation
from fleetloop_hub.packaging.weights import Kept
from fleetloop_hub.training.families import fit
from fleetloop_shared.manifest import Signature
from support.learnable import toy_spec

FORM = signature(toy_spec(), [0, 1], 0.5, (0.0, 1.0))
FIRST = msgspec.structs.replace(FORM, positive=0)
Scores = npt.NDArray[np.float64]


def network(hidden: tuple[int, ...] = (32, 16), seed: int = 0, size: float = 1.0) -> Fitted:
    """A network on two features of very different scales, as if it had been fitted."""
    rng = np.random.default_rng(seed)
    widths = (2, *hidden, 1)
    infinite = np.full(2, np.inf, np.float32)
    model = MLPClassifier(hidden)
    model.classes_, model.n_layers_, model.n_outputs_ = np.array([0.0, 1.0]), len(widths), 1
    model.out_activation_, model.n_features_in_ = "logistic", 2
    model._label_binarizer = LabelBinarizer().fit([0.0, 1.0])
    model.coefs_, model.intercepts_ = [], []
    for shape in pairwise(widths):
        model.coefs_.append(size * rng.normal(0, 0.6, shape))
        model.intercepts_.append(size * rng.normal(0, 0.1, shape[1]))
    preparation = Preparation(
        fill=np.array([1000.0, 0.002], np.float32),
        blank_low=-infinite,
        blank_high=infinite,
        low=-infinite,
        high=infinite,
        categories=(0, 0),
        mean=np.array([990.0, 0.001], np.float32),
        sd=np.array([25.0, 0.0005], np.float32),
        one_hot=True,
    )
    return Fitted("mlp", "classification", preparation, model, {})


def file_of(fitted: Fitted, recipe: Kept, positive: int = 1) -> bytes:
    """The file that a recipe makes."""
    return dict(files(fitted, Head(positive=positive)))[recipe]


def rows(number: int = 300) -> Rows:
    rng = np.random.default_rng(5)
    values = np.column_stack([rng.normal(990, 25, number), rng.normal(0.001, 0.0005, number)])
    return values.astype(np.float32)


def by_hand(net: Fitted, values: Rows) -> Scores:
    """What the network says, in float64."""
    return net.raw(values)[:, 1]


def learnable_frame() -> Frame:
    """Rows on which the sum of two standardised features decides, with some noise."""
    values = rows()
    noise = np.random.default_rng(7).normal(0, 0.3, len(values))
    rule = (values[:, 0] - 990) / 25 + (values[:, 1] - 0.001) / 0.0005 + noise
    at = np.arange(len(values), dtype=float)
    return Frame(values, (rule > 0).astype(np.float64), at, at, np.array([""] * len(at)), {})


@pytest.mark.parametrize("hidden", [(), (8,), (32, 16)])
def test_graph_computes_the_network_preprocessing_included(hidden: tuple[int, ...]) -> None:
    net, values = network(hidden), rows()
    values[3, 0] = values[7, 1] = np.nan
    values[9] = np.nan
    scores = Artifact(file_of(net, Kept.FLOAT32), FORM).scores(values)
    np.testing.assert_allclose(scores, by_hand(net, values), atol=1e-5)


@pytest.mark.parametrize("recipe", list(Kept))
def test_every_recipe_is_a_valid_graph_with_the_agreed_names(recipe: Kept) -> None:
    model = onnx.load_from_string(file_of(network(), recipe))
    onnx.checker.check_model(model, full_check=True)
    assert [i.name for i in model.graph.input] == [FORM.input_name] == ["features"]
    assert [o.name for o in model.graph.output] == [FORM.score_name] == ["probabilities"]


@pytest.mark.parametrize("recipe", list(Kept))
def test_an_answer_does_not_depend_on_the_rows_beside_it(recipe: Kept) -> None:
    data, values = file_of(network(), recipe), rows(64)
    one_by_one = Artifact(data, FORM).scores(values)
    session = Artifact(data, FORM)._session
    together = session.run(["probabilities"], {"features": values})[0][:, 1]
    np.testing.assert_allclose(together, one_by_one, atol=1e-6)


def test_equal_networks_are_equal_bytes() -> None:
    for recipe in Kept:
        assert file_of(network(), recipe) == file_of(network(), recipe)


def test_the_positive_class_may_be_the_first_column() -> None:
    first = Artifact(file_of(network(), Kept.FLOAT32, 0), FIRST).outputs(rows())
    second = Artifact(file_of(network(), Kept.FLOAT32), FORM).outputs(rows())
    np.testing.assert_allclose(first, second, atol=1e-6)


@pytest.mark.parametrize("size", [1e-44, 0.0])
def test_weights_too_small_for_a_scale_are_zero_and_not_noise(size: float) -> None:
    small = network((), size=size)
    small.estimator.intercepts_ = [np.zeros(1)]
    assert set(Artifact(file_of(small, Kept.INT8), FORM).scores(rows(5))) == {0.5}


def trial(measure_loss: float = 0.0, flips: float = 1.0) -> Trial:
    """A trial on which int8 loses a little and float16 nothing."""
    exact = by_hand(network(), rows())

    def measure(outputs: Outputs) -> float:
        return 1.0 - measure_loss * float(np.abs(outputs[:, 1] - exact).max() > 1e-3)

    return Trial(rows(), measure, 0.005, flips)


def test_the_smallest_file_is_taken_if_it_answers_as_well() -> None:
    packed = pack(network(), Head(positive=1), FORM, trial())
    assert packed.recipe == Kept.INT8
    assert len(packed.data) < 0.6 * len(packed.float_data)


def test_a_recipe_that_loses_half_a_point_is_not_taken() -> None:
    assert pack(network(), Head(positive=1), FORM, trial(measure_loss=0.006)).recipe == Kept.FLOAT16


def test_a_recipe_that_flips_answers_is_not_taken() -> None:
    exact, rough = (
        Artifact(file_of(network(), recipe), FORM).scores(rows())
        for recipe in (Kept.FLOAT32, Kept.INT8)
    )
    at = int(np.argmax(np.abs(exact - rough)))
    between = msgspec.structs.replace(FORM, decision_threshold=float(exact[at] + rough[at]) / 2)
    one = Trial(rows()[at : at + 1], lambda _: 1.0, 0.005, 0.0)
    packed = pack(network(), Head(positive=1), between, one)
    assert packed.recipe == Kept.FLOAT16


def here(estimator: Estimator, width: int, _limit_s: float) -> Converted:
    """skl2onnx in this process, which saves starting another one."""
    return Converted(to_onnx(estimator, width))


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("family", ["linear", "mlp"])
def test_the_lean_graph_answers_as_the_file_that_skl2onnx_makes(
    family: str, positive: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnable = learnable_frame()
    [candidate] = [c for c in toy_spec().candidates if c.family == family]
    fitted = fit(candidate, toy_spec(), [0, 1], learnable, learnable)
    values = learnable.values.copy()
    values[5, 1] = np.nan
    form = msgspec.structs.replace(FORM, positive=positive)
    monkeypatch.setattr(conversion, "convert", here)
    file = float_graph(fitted, Head(positive=positive))
    assert file.data is not None, file.why
    converted = Artifact(file.data, form).scores(values)
    lean = Artifact(file_of(fitted, Kept.FLOAT32, positive), form).scores(values)
    np.testing.assert_allclose(lean, fitted.raw(values)[:, positive], atol=1e-5)
    assert np.abs(converted - lean).max() < 1e-5
    assert converted.std() > 0.05


def test_parity_tells_sizes_flips_gap_and_times() -> None:
    net = network()
    exact, quantized = file_of(net, Kept.FLOAT32), file_of(net, Kept.INT8)
    parity = compare(quantized, exact, FORM, rows())
    assert (parity.rows, parity.float_bytes, parity.artifact_bytes) == (
        300,
        len(exact),
        len(quantized),
    )
    assert 0 < parity.largest_gap < 0.05
    assert parity.float_ms > 0 < parity.artifact_ms
    assert compare(exact, exact, FORM, rows()).largest_gap == 0


def test_golden_rows_are_real_span_the_scores_and_lack_each_value_once() -> None:
    artifact = Artifact(file_of(network(), Kept.INT8), FORM)
    found = golden(artifact, FORM, rows())
    real = {tuple(row) for row in rows().tolist()}
    *whole, one, other = found.inputs
    assert len(whole) >= 16
    assert all(tuple(row) in real for row in whole)
    assert [[v is None for v in row] for row in (one, other)] == [[True, False], [False, True]]
    scores = [row[FORM.positive] for row in found.outputs]
    assert min(scores) < 0.2
    assert max(scores) > 0.8
    sent = msgspec.json.decode(msgspec.json.encode(found), type=type(found))
    asked = np.array([[np.nan if v is None else v for v in row] for row in sent.inputs], np.float32)
    np.testing.assert_allclose(artifact.outputs(asked), sent.outputs, atol=1e-12)


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(TrainingError, match="does not load"):
        Artifact(b"not a model", FORM)


def test_rows_of_another_width_are_refused() -> None:
    artifact = Artifact(file_of(network(), Kept.INT8), FORM)
    with pytest.raises(TrainingError, match="fails on 3 values"):
        artifact.scores(np.zeros((1, 3), np.float32))


def test_signature_carries_the_spec_s_features() -> None:
    assert isinstance(FORM, Signature)
    assert [(f.name, f.low, f.high) for f in FORM.features] == [
        ("a", -100.0, 100.0),
        ("b", None, None),
    ]
