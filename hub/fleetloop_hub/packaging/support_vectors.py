"""Support vector machines as two products of matrices with an exponential between them.

With the kernel exp(-g |x - s|²), the exponent is x·(2g s) - g|x|² - g|s|²; the rows get |x|² as a
column more, so that one product makes all of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.estimators import Estimator
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.graph import GraphBuilder
from fleetloop_hub.packaging.weights import Kept, keep_weights


@dataclass(frozen=True)
class Machine:
    """A support vector machine with a radial kernel.

    Attributes:
        vectors: Shape (vectors, width).
        weights: Of each vector in each output, shape (vectors, outputs).
        bias: Of each output.
        gamma: g of the kernel.
    """

    vectors: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    gamma: float


def support_vector_bodies(
    fitted: Fitted,
) -> Iterator[tuple[str, Callable[[GraphBuilder, str], str]]]:
    """Each recipe of a support vector machine, and what appends it to a graph.

    Raises:
        UnsupportedModelError: Its kernel is not the radial one.
    """
    machine = machine_of(fitted.estimator)
    for kept in reversed(Kept):
        yield kept.value, partial(_write, fitted, machine, kept)


def machine_of(estimator: Estimator) -> Machine:
    """What SVC (of two classes), SVR, OneClassSVM, or one SVC against the rest each, has learned.

    Raises:
        UnsupportedModelError: Its kernel is not the radial one.
    """
    members = getattr(estimator, "estimators_", [estimator])
    fitted = {k: m for k, m in enumerate(members) if not hasattr(m, "y_")}
    if not fitted or any(getattr(m, "kernel", None) != "rbf" for m in fitted.values()):
        raise UnsupportedModelError("a support vector machine without a radial kernel")
    gammas = {float(m._gamma) for m in fitted.values()}  # noqa: SLF001  # as fit has worked it out
    if len(gammas) > 1:
        raise UnsupportedModelError("support vector machines with different kernels")
    places = np.unique(np.concatenate([m.support_ for m in fitted.values()]))
    vectors = np.zeros((len(places), estimator.n_features_in_))
    weights, bias = np.zeros((len(places), len(members))), np.zeros(len(members))
    for output, member in enumerate(members):
        if output not in fitted:  # a class that never occurred: always the same
            bias[output] = member.y_[0]
            continue
        at = np.searchsorted(places, member.support_)
        vectors[at] = member.support_vectors_
        weights[at, output] = member.dual_coef_[0]
        bias[output] = member.intercept_[0]
    return Machine(vectors, weights, bias, gammas.pop())


def _write(fitted: Fitted, machine: Machine, kept: Kept, graph: GraphBuilder, x: str) -> str:
    gamma = graph.keep(np.array([[machine.gamma]], np.float32))
    less = graph.add("Neg", gamma)
    vectors = keep_weights(graph, machine.vectors.T, kept)
    lengths = graph.add("ReduceSumSquare", vectors, axes=[0], keepdims=1)
    bias = graph.add("Mul", lengths, less)
    many = graph.keep(np.array([1, len(machine.vectors)]))
    doubled = graph.add("Mul", vectors, graph.add("Add", gamma, gamma))
    columns = graph.add("Concat", doubled, graph.add("Expand", less, many), axis=0)
    longer = graph.add("Concat", x, graph.add("ReduceSumSquare", x, axes=[1], keepdims=1), axis=1)
    near = graph.add("Exp", graph.add("Gemm", longer, columns, bias))
    weights = keep_weights(graph, machine.weights, kept)
    border = graph.add("Gemm", near, weights, graph.keep(machine.bias.astype(np.float32)))
    if fitted.task == "regression":
        return border
    if fitted.task == "anomaly":
        return graph.add("Sigmoid", graph.add("Neg", border))
    if len(fitted.estimator.classes_) > 2:  # noqa: PLR2004  # more than yes and no
        return graph.add("Softmax", border, axis=1)
    return graph.add("Sigmoid", border)
