"""Tree ensembles of other converters, written anew: smaller, and the same to the last leaf."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType

from fleetloop_hub.packaging.compacting import compact_trees
from fleetloop_hub.spec.scalars import Family
from support.fitted_models import Rows, example

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # skl2onnx's own

TREE_CASES: list[tuple[str, Family]] = [
    (kind, family)
    for kind in ("two", "several", "regression")
    for family in ("random-forest", "extra-trees", "gradient-boosting")
]


def converted(kind: str, family: Family) -> tuple[onnx.ModelProto, Rows]:
    """What skl2onnx makes of a model, labels and all, and prepared rows."""
    case = example(kind, family)
    model = convert_sklearn(
        case.fitted.estimator,
        initial_types=[("x", FloatTensorType([None, 5]))],
        options=None if kind == "regression" else {"zipmap": False},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    return model, case.fitted.preparation.transform(case.fresh).astype(np.float32)


def answers(model: onnx.ModelProto, rows: Rows) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return list(session.run(None, {session.get_inputs()[0].name: rows}))


@pytest.mark.parametrize(("kind", "family"), TREE_CASES)
def test_compact_trees_answer_alike_in_half_the_bytes(kind: str, family: Family) -> None:
    model, rows = converted(kind, family)
    compact = compact_trees(model)
    assert {n.op_type for n in compact.graph.node} & {"TreeEnsemble"}
    assert len(compact.SerializeToString()) < 0.6 * len(model.SerializeToString())
    *labels, scores = answers(model, rows)
    *compact_labels, compact_scores = answers(compact, rows)
    np.testing.assert_allclose(compact_scores, scores, rtol=1e-5, atol=1e-5)
    for one, other in zip(labels, compact_labels, strict=True):
        clear = np.sort(scores, axis=1)[:, -1] - np.sort(scores, axis=1)[:, -2] > 1e-5
        assert (one == other)[clear].all()


@pytest.mark.parametrize(("kind", "family"), TREE_CASES)
def test_eight_bits_a_leaf_stay_near(kind: str, family: Family) -> None:
    model, rows = converted(kind, family)
    near = answers(compact_trees(model, bits=8), rows)[-1]
    exact = answers(model, rows)[-1]
    assert np.abs(near - exact).max() < 0.02 * np.abs(exact).max()


def test_eight_bits_do_for_trees_that_all_carry_a_mean() -> None:
    """The first tree of LightGBM does: steps of its leaves must not be as coarse as the mean."""
    model, rows = converted("regression", "random-forest")
    [node] = [n for n in model.graph.node if n.op_type == "TreeEnsembleRegressor"]
    [weights] = [a for a in node.attribute if a.name == "target_weights"]
    moved = [w + 200.0 for w in weights.floats]
    del weights.floats[:]
    weights.floats.extend(moved)
    exact = answers(model, rows)[-1]
    near = answers(compact_trees(model, bits=8), rows)[-1]
    assert exact.mean() > 100
    assert np.abs(near - exact).max() < 0.05 * exact.std()


def hand_made(mode: str, **more: str) -> onnx.ModelProto:
    """A regressor with one test on one number; NaN tracks true."""
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_modes=[mode, "LEAF", "LEAF"],
        nodes_values=[1.5, 0.0, 0.0],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_missing_value_tracks_true=[1, 0, 0],
        target_treeids=[0, 0],
        target_nodeids=[1, 2],
        target_ids=[0, 0],
        target_weights=[10.0, 20.0],
        base_values=[0.5],
    )
    node.attribute.extend(helper.make_attribute(k, v) for k, v in more.items())
    return model_of(node)


def model_of(node: onnx.NodeProto) -> onnx.ModelProto:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])
    graph = helper.make_graph([node], "g", [x], [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("ai.onnx.ml", 3)])


@pytest.mark.parametrize(
    "mode", ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
)
def test_every_test_of_a_node_keeps_its_meaning_at_the_threshold(mode: str) -> None:
    model = hand_made(mode)
    below, above = (np.nextafter(np.float32(1.5), np.float32(to)) for to in (0, 9))
    rows = np.array([[0.0], [below], [1.5], [above], [9.0], [np.nan]], np.float32)
    compact = compact_trees(model)
    assert compact.graph.node[0].op_type == "TreeEnsemble"
    np.testing.assert_array_equal(answers(compact, rows)[0], answers(model, rows)[0])


def test_trees_in_float64_are_left_alone() -> None:
    model = hand_made("BRANCH_LEQ")
    [node] = model.graph.node
    kept = [a for a in node.attribute if a.name not in {"nodes_values", "target_weights"}]
    values = numpy_helper.from_array(np.array([1.5, 0.0, 0.0]), "values")
    weights = numpy_helper.from_array(np.array([10.0, 20.0]), "weights")
    del node.attribute[:]
    node.attribute.extend(kept)
    node.attribute.append(helper.make_attribute("nodes_values_as_tensor", values))
    node.attribute.append(helper.make_attribute("target_weights_as_tensor", weights))
    assert compact_trees(model) is model


@pytest.mark.parametrize("attribute", [("post_transform", "PROBIT"), ("aggregate_function", "MIN")])
def test_what_is_not_known_is_left_alone(attribute: tuple[str, str]) -> None:
    model = hand_made("BRANCH_LEQ", **dict([attribute]))
    assert compact_trees(model) is model


def test_a_model_without_trees_is_left_alone() -> None:
    model = model_of(helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", scale=[2.0]))
    assert compact_trees(model) is model
