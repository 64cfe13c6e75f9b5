"""Every form in which a fitted candidate can be written as a file."""

from collections.abc import Callable, Iterator

from fleetloop_hub.packaging.dense import dense_bodies
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.forest import Floats
from fleetloop_hub.packaging.graph import GraphBuilder
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.head_graph import write_head
from fleetloop_hub.packaging.neighbours import neighbour_bodies
from fleetloop_hub.packaging.preparation_graph import write_preparation
from fleetloop_hub.packaging.support_vectors import support_vector_bodies
from fleetloop_hub.packaging.trees import tree_bodies

File = tuple[str, bytes]
"""A recipe's name and what it makes."""

Write = Callable[[GraphBuilder, str], str]
"""Appends a model's body to a graph after the named input; returns the name of the raw outputs."""


def files(fitted: Fitted, head: Head, learned: Floats | None = None) -> Iterator[File]:
    """Each recipe's name and file; equal candidates give equal bytes.

    Args:
        fitted: The model.
        head: What follows it.
        learned: Training rows, which some recipes look at; without them these are left out.

    Raises:
        UnsupportedModelError: No lean graph is known for this model.
    """
    for recipe, write in _bodies(fitted, learned):
        graph = GraphBuilder()
        x = write_preparation(graph, fitted.preparation)
        raw = write(graph, x)
        outputs = output_columns(fitted)
        write_head(graph, head, raw, outputs)
        yield recipe, graph.finish(len(fitted.preparation.fill), outputs)


def _bodies(fitted: Fitted, learned: Floats | None) -> Iterator[tuple[str, Write]]:
    match fitted.family:
        case "linear" | "mlp":
            return dense_bodies(fitted, learned)
        case "svm" | "one-class-svm":
            return support_vector_bodies(fitted)
        case "knn":
            return neighbour_bodies(fitted)
        case _:
            return tree_bodies(fitted, learned)


def output_columns(fitted: Fitted) -> int:
    """Columns of the artifact's output."""
    if fitted.task == "regression":
        return 1
    return 2 if fitted.task == "anomaly" else len(fitted.estimator.classes_)
