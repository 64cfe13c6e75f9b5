"""Networks as files: the graph computes what the network says, small, stable and provable."""

from itertools import pairwise

import msgspec
import numpy as np
import onnx
import pytest

from fleetloop_hub.errors import TrainingError
from fleetloop_hub.packaging.artifact import Artifact, Rows, Scores
from fleetloop_hub.packaging.assembly import signature
from fleetloop_hub.packaging.float_graph import float_graph
from fleetloop_hub.packaging.golden import golden
from fleetloop_hub.packaging.graph import Recipe, to_onnx
from fleetloop_hub.packaging.network import Layer, Network
from fleetloop_hub.packaging.packing import Trial, pack
from fleetloop_hub.packaging.parity import compare
from fleetloop_hub.training.examples import Examples
from fleetloop_hub.training.families import fit
from fleetloop_shared.manifest import Signature
from support.learnable import toy_spec

FORM = signature(toy_spec(), [0, 1], 1, 0.5)


def network(hidden: tuple[int, ...] = (32, 16), seed: int = 0) -> Network:
    """A network on two features of very different scales."""
    rng = np.random.default_rng(seed)
    widths = (2, *hidden, 1)
    return Network(
        fill=np.array([1000.0, 0.002], np.float32),
        mean=np.array([990.0, 0.001], np.float32),
        sd=np.array([25.0, 0.0005], np.float32),
        layers=[
            Layer(
                rng.normal(0, 0.6, (a, b)).astype(np.float32),
                rng.normal(0, 0.1, b).astype(np.float32),
            )
            for a, b in pairwise(widths)
        ],
    )


def rows(number: int = 300) -> Rows:
    rng = np.random.default_rng(5)
    values = np.column_stack([rng.normal(990, 25, number), rng.normal(0.001, 0.0005, number)])
    return values.astype(np.float32)


def by_hand(net: Network, values: Rows) -> Scores:
    """What the network says, in float64."""
    filled = np.where(np.isnan(values), net.fill, values).astype(np.float64)
    x: Scores = (filled - net.mean) / net.sd
    for index, layer in enumerate(net.layers):
        weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
        x = (np.maximum(x, 0.0) if index else x) @ weights + bias
    scores: Scores = 1 / (1 + np.exp(-x[:, 0]))
    return scores


def float_file() -> bytes:
    """The network as a float32 file."""
    return to_onnx(network(), Recipe.FLOAT32, 1)


def learnable_examples() -> Examples:
    """Rows on which the sum of two standardised features decides, with some noise."""
    values = rows()
    noise = np.random.default_rng(7).normal(0, 0.3, len(values))
    rule = (values[:, 0] - 990) / 25 + (values[:, 1] - 0.001) / 0.0005 + noise
    number = len(values)
    return Examples(values, rule > 0, np.arange(number, dtype=float), np.array([""] * number))


@pytest.mark.parametrize("hidden", [(), (8,), (32, 16)])
def test_graph_computes_the_network_preprocessing_included(hidden: tuple[int, ...]) -> None:
    net, values = network(hidden), rows()
    values[3, 0] = values[7, 1] = np.nan
    values[9] = np.nan
    scores = Artifact(to_onnx(net, Recipe.FLOAT32, 1), FORM).scores(values)
    np.testing.assert_allclose(scores, by_hand(net, values), atol=1e-5)


@pytest.mark.parametrize("recipe", list(Recipe))
def test_every_recipe_is_a_valid_graph_with_the_agreed_names(recipe: Recipe) -> None:
    model = onnx.load_from_string(to_onnx(network(), recipe, 1))
    onnx.checker.check_model(model, full_check=True)
    assert [i.name for i in model.graph.input] == [FORM.input_name] == ["features"]
    assert [o.name for o in model.graph.output] == [FORM.score_name] == ["probabilities"]


@pytest.mark.parametrize("recipe", list(Recipe))
def test_an_answer_does_not_depend_on_the_rows_beside_it(recipe: Recipe) -> None:
    data, values = to_onnx(network(), recipe, 1), rows(64)
    one_by_one = Artifact(data, FORM).scores(values)
    session = Artifact(data, FORM)._session
    together = session.run(["probabilities"], {"features": values})[0][:, 1]
    np.testing.assert_allclose(together, one_by_one, atol=1e-6)


def test_equal_networks_are_equal_bytes() -> None:
    for recipe in Recipe:
        assert to_onnx(network(), recipe, 1) == to_onnx(network(), recipe, 1)


def test_the_positive_class_may_be_the_first_column() -> None:
    swapped = msgspec.structs.replace(FORM, classes=[0, 1], positive=0)
    first = Artifact(to_onnx(network(), Recipe.FLOAT32, 0), swapped).scores(rows())
    second = Artifact(to_onnx(network(), Recipe.FLOAT32, 1), FORM).scores(rows())
    np.testing.assert_array_equal(first, second)


def test_weights_too_small_for_a_scale_are_zero_and_not_noise() -> None:
    net, zero = network(()), np.zeros(1, np.float32)
    tiny = (net.layers[0].weights * np.float64(1e-44)).astype(np.float32)
    for weights in (tiny, np.zeros((2, 1), np.float32)):
        small = Network(net.fill, net.mean, net.sd, [Layer(weights, zero)])
        assert set(Artifact(to_onnx(small, Recipe.INT8, 1), FORM).scores(rows(5))) == {0.5}


def trial(measure_loss: float = 0.0, flips: float = 1.0) -> Trial:
    """A trial on which int8 loses a little and float16 nothing."""
    exact = by_hand(network(), rows())

    def measure(scores: Scores) -> float:
        return 1.0 - measure_loss * float(np.abs(scores - exact).max() > 1e-3)

    return Trial(rows(), measure, flips)


def test_the_smallest_file_is_taken_if_it_answers_as_well() -> None:
    packed = pack(network(), float_file(), FORM, trial())
    assert packed.recipe is Recipe.INT8
    assert len(packed.data) < 0.6 * len(packed.float_data)


def test_a_recipe_that_loses_half_a_point_is_not_taken() -> None:
    assert pack(network(), float_file(), FORM, trial(measure_loss=0.006)).recipe is Recipe.FLOAT16


def test_a_recipe_that_flips_answers_is_not_taken() -> None:
    exact, rough = (
        Artifact(to_onnx(network(), recipe, 1), FORM).scores(rows())
        for recipe in (Recipe.FLOAT32, Recipe.INT8)
    )
    at = int(np.argmax(np.abs(exact - rough)))
    between = msgspec.structs.replace(FORM, decision_threshold=float(exact[at] + rough[at]) / 2)
    packed = pack(network(), float_file(), between, Trial(rows()[at : at + 1], lambda _: 1.0, 0.0))
    assert packed.recipe is Recipe.FLOAT16


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize("family", ["linear", "mlp"])
def test_the_lean_graph_answers_as_the_file_that_skl2onnx_makes(family: str, positive: int) -> None:
    learnable = learnable_examples()
    [spec] = [c for c in toy_spec().candidates if c.family == family]
    candidate = msgspec.structs.replace(spec, hidden=[8, 4])
    fitted = fit(candidate, learnable, learnable, seed=3)
    values = learnable.values.copy()
    values[5, 1] = np.nan
    form = msgspec.structs.replace(FORM, positive=positive)
    converted = Artifact(float_graph(fitted.pipeline, 2, positive), form).scores(values)
    lean = Artifact(to_onnx(fitted.network, Recipe.FLOAT32, positive), form).scores(values)
    assert np.abs(converted - lean).max() < 1e-5
    assert converted.std() > 0.05


def test_parity_tells_sizes_flips_gap_and_times() -> None:
    net = network()
    exact, quantized = to_onnx(net, Recipe.FLOAT32, 1), to_onnx(net, Recipe.INT8, 1)
    parity = compare(quantized, exact, FORM, rows())
    assert (parity.rows, parity.float_bytes, parity.artifact_bytes) == (
        300,
        len(exact),
        len(quantized),
    )
    assert 0 < parity.largest_gap < 0.05
    assert parity.float_ms > 0 < parity.artifact_ms
    assert compare(exact, exact, FORM, rows()).largest_gap == 0


def test_golden_rows_are_real_span_the_scores_and_lack_a_value_once() -> None:
    artifact = Artifact(to_onnx(network(), Recipe.INT8, 1), FORM)
    found = golden(artifact, rows())
    real = {tuple(row) for row in rows().tolist()}
    *whole, incomplete = found.inputs
    assert len(whole) >= 16
    assert all(tuple(row) in real for row in whole)
    assert None in incomplete
    assert min(found.scores) < 0.2
    assert max(found.scores) > 0.8
    sent = msgspec.json.decode(msgspec.json.encode(found), type=type(found))
    asked = np.array([[np.nan if v is None else v for v in row] for row in sent.inputs], np.float32)
    np.testing.assert_allclose(artifact.scores(asked), sent.scores, atol=1e-12)


def test_real_incomplete_row_is_preferred() -> None:
    values = rows()
    values[42, 1] = np.nan
    artifact = Artifact(to_onnx(network(), Recipe.INT8, 1), FORM)
    assert golden(artifact, values).inputs[-1] == [float(values[42, 0]), None]


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(TrainingError, match="does not load"):
        Artifact(b"not a model", FORM)


def test_rows_of_another_width_are_refused() -> None:
    artifact = Artifact(to_onnx(network(), Recipe.INT8, 1), FORM)
    with pytest.raises(TrainingError, match="fails on 3 values"):
        artifact.scores(np.zeros((1, 3), np.float32))


def test_signature_carries_the_spec_s_features() -> None:
    assert isinstance(FORM, Signature)
    assert [(f.name, f.low, f.high) for f in FORM.features] == [
        ("a", -100.0, 100.0),
        ("b", None, None),
    ]
