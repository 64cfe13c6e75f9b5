"""Reads scikit-learn's tree ensembles: what their leaves say, and what becomes of the sum."""

import numpy as np

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.estimators import Estimator
from fleetloop_hub.packaging.forest import Doubles, Forest, Tree, plant


def forest_of(estimator: Estimator) -> Forest:
    """A random forest or extra trees; leaves say probabilities, or a value."""
    return plant([_tree(member.tree_) for member in estimator.estimators_])


def _tree(tree: Estimator, values: Doubles | None = None) -> Tree:
    if values is None:
        values = tree.value[:, 0, :]
        if tree.n_classes[0] > 1:
            values = values / values.sum(axis=1, keepdims=True)
    return Tree(
        is_leaf=tree.children_left < 0,
        feature=tree.feature.astype(np.int64),
        threshold=tree.threshold,
        left=tree.children_left.astype(np.int64),
        right=tree.children_right.astype(np.int64),
        values=values,
    )


def boosting_of(estimator: Estimator) -> tuple[Forest, Doubles]:
    """Histogram gradient boosting: leaves say (value), by rounds of a tree for each output.

    Returns:
        The trees, and the baseline of each output, to which the leaves are added.

    Raises:
        UnsupportedModelError: It splits on categories by sets, or its link is not known here.
    """
    rounds = estimator._predictors  # noqa: SLF001  # there is no public way to the trees
    baseline: Doubles = np.asarray(estimator._baseline_prediction, np.float64).ravel()  # noqa: SLF001
    nodes = [predictor.nodes for members in rounds for predictor in members]
    if any(tree["is_categorical"].any() for tree in nodes):
        raise UnsupportedModelError("gradient boosting with splits on sets of categories")
    return plant([_boosted(tree) for tree in nodes]), baseline


def _boosted(nodes: np.ndarray) -> Tree:
    return Tree(
        is_leaf=nodes["is_leaf"].astype(bool),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        left=nodes["left"].astype(np.int64),
        right=nodes["right"].astype(np.int64),
        values=nodes["value"].astype(np.float64)[:, None],
    )


def isolation_of(estimator: Estimator) -> Forest:
    """An isolation forest; leaves say minus log2 of the oddity, so that their sum gives it.

    The oddity of a row is `2 ** -(mean path length / c(samples))` (Liu, Ting and Zhou, 2008).
    """
    normal = len(estimator.estimators_) * _expected_path(np.array([estimator.max_samples_]))[0]
    return plant(
        [
            _isolating(member.tree_, columns, normal)
            for member, columns in zip(
                estimator.estimators_, estimator.estimators_features_, strict=True
            )
        ]
    )


def _isolating(tree: Estimator, columns: np.ndarray, normal: float) -> Tree:
    depth = np.zeros(tree.node_count)
    for node in range(tree.node_count):
        if tree.children_left[node] >= 0:
            depth[[tree.children_left[node], tree.children_right[node]]] = depth[node] + 1
    length = depth + _expected_path(tree.n_node_samples)
    found = _tree(tree, (length / normal if normal else length)[:, None])
    inner = ~found.is_leaf
    found.feature[inner] = np.asarray(columns)[found.feature[inner]]
    return found


def _expected_path(samples: np.ndarray) -> Doubles:
    """The mean path of an unsuccessful search in a binary tree of so many samples."""
    many = np.maximum(np.asarray(samples, np.float64), 3.0)
    usual = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    few = np.where(np.asarray(samples) == 2, 1.0, 0.0)  # noqa: PLR2004  # one comparison ends it
    lengths: Doubles = np.where(np.asarray(samples) > 2, usual, few)  # noqa: PLR2004
    return lengths
