"""Every form in which a fitted candidate can be written as a file."""

from collections.abc import Iterator

from fleetloop_hub.packaging.dense import Recipe, write_dense
from fleetloop_hub.packaging.fitted import Fitted
from fleetloop_hub.packaging.graph import GraphBuilder
from fleetloop_hub.packaging.head import Head
from fleetloop_hub.packaging.head_graph import write_head
from fleetloop_hub.packaging.preparation_graph import write_preparation


def files(fitted: Fitted, head: Head) -> Iterator[tuple[str, bytes]]:
    """Each recipe's name and file; equal candidates give equal bytes."""
    for recipe in Recipe:
        graph = GraphBuilder()
        x = write_preparation(graph, fitted.preparation)
        raw = write_dense(graph, fitted, x, recipe)
        outputs = output_columns(fitted)
        write_head(graph, head, raw, outputs)
        yield recipe.value, graph.finish(len(fitted.preparation.fill), outputs)


def output_columns(fitted: Fitted) -> int:
    """Columns of the artifact's output."""
    if fitted.task == "regression":
        return 1
    return 2 if fitted.task == "anomaly" else len(fitted.estimator.classes_)
