"""Writes a preparation into a graph; only what a row really needs becomes a node."""

import numpy as np

from fleetloop_hub.packaging.graph import INPUT, GraphBuilder
from fleetloop_hub.packaging.preparation import Preparation


def write_preparation(graph: GraphBuilder, preparation: Preparation) -> str:
    """Append what `Preparation.transform` does, and return the name of the result."""
    x = _fill(graph, preparation)
    if np.isfinite(preparation.low).any():
        x = graph.add("Max", x, graph.keep(preparation.low[None]))
    if np.isfinite(preparation.high).any():
        x = graph.add("Min", x, graph.keep(preparation.high[None]))
    if preparation.spreads:
        return _spread(graph, preparation, x)
    return _standardise(graph, x, preparation.mean, preparation.sd)


def _fill(graph: GraphBuilder, preparation: Preparation) -> str:
    blank = graph.add("IsNaN", INPUT)
    if np.isfinite(preparation.blank_low).any():
        below = graph.add("Less", INPUT, graph.keep(preparation.blank_low[None]))
        blank = graph.add("Or", blank, below)
    if np.isfinite(preparation.blank_high).any():
        above = graph.add("Greater", INPUT, graph.keep(preparation.blank_high[None]))
        blank = graph.add("Or", blank, above)
    return graph.add("Where", blank, graph.keep(preparation.fill[None]), INPUT)


def _standardise(graph: GraphBuilder, x: str, mean: np.ndarray, sd: np.ndarray) -> str:
    if not mean.any() and (sd == 1).all():
        return x
    x = graph.add("Sub", x, graph.keep(mean[None]))
    return graph.add("Mul", x, graph.keep((1.0 / sd)[None]))


def _spread(graph: GraphBuilder, preparation: Preparation, x: str) -> str:
    """Repeat each column as often as it has places, then compare places and standardise numbers."""
    sources, places, is_place = [], [], []
    for feature, many in enumerate(preparation.categories):
        sources += [feature] * (many or 1)
        places += list(range(many)) if many else [0]
        is_place += [bool(many)] * (many or 1)
    chosen = np.array(sources)
    wide = graph.add("Gather", x, graph.keep(chosen), axis=1)
    equal = graph.add("Equal", wide, graph.keep(np.array(places, np.float32)[None]))
    ones = graph.add("Cast", equal, to=1)
    scaled = _standardise(graph, wide, preparation.mean[chosen], preparation.sd[chosen])
    return graph.add("Where", graph.keep(np.array(is_place)[None]), ones, scaled)
