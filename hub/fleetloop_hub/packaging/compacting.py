"""Writes the tree ensembles of any ONNX graph anew as compact ones that say the same."""

import numpy as np
import onnxruntime
from onnx import ModelProto, NodeProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.forest import Doubles, Floats, Forest, shorten
from fleetloop_hub.packaging.graph import TREES, GraphBuilder
from fleetloop_hub.packaging.leaf_tables import Table, write_tables
from fleetloop_hub.packaging.onnx_trees import KINDS, Ensemble, read_ensemble
from fleetloop_hub.packaging.tree_ensemble import Sums, rounded, tree_middles, write_ensemble

_ML_VERSION, _OPSET, _IR_VERSION = 5, 13, 10
_CLOSE = 1e-4
_PROBES = 256
_YES_AND_NO = 2


def compact_trees(model: ModelProto, *, bits: int = 0, rows: Floats | None = None) -> ModelProto:
    """The model with each tree ensemble as small as it gets; unchanged where that is not possible.

    The exact form is run beside the given one, on rows at and beside its thresholds: if one answer
    is another, the given one is returned. (An old graph is read as of opset 13, which is the same
    for nearly all operators; where it is not, this shows it.)

    Args:
        model: An ONNX model with one float32 input.
        bits: Leaves as whole steps of so many bits, with a scale for each tree; 0 keeps them exact.
        rows: What the trees see, if they see the model's input as it is: thresholds get fewer
            digits, in the gaps between these rows.
    """
    read = {}
    for place, node in enumerate(model.graph.node):
        try:
            read[place] = read_ensemble(node) if node.op_type in KINDS else None
        except UnsupportedModelError:
            read[place] = None
    if not any(read.values()):
        return model
    exact = _rewritten(model, read, 0, None)
    if not _same(model, exact, [e.forest for e in read.values() if e is not None]):
        return model
    return _rewritten(model, read, bits, rows) if bits or rows is not None else exact


def _rewritten(
    model: ModelProto, read: dict[int, Ensemble | None], bits: int, rows: Floats | None
) -> ModelProto:
    compact = ModelProto()
    compact.CopyFrom(model)
    del compact.graph.node[:]
    for place, node in enumerate(model.graph.node):
        ensemble = read[place]
        if ensemble is None:
            compact.graph.node.append(node)
            continue
        builder = GraphBuilder(prefix=f"trees{place}_")
        _write(builder, node, ensemble, _Form(bits, rows))
        compact.graph.node.extend(builder.nodes)
        compact.graph.initializer.extend(builder.kept)
    versions = {opset.domain: opset for opset in compact.opset_import}
    versions[TREES].version = max(_ML_VERSION, versions[TREES].version)
    if "" in versions:
        versions[""].version = max(_OPSET, versions[""].version)
    else:
        compact.opset_import.append(helper.make_opsetid("", _OPSET))
    compact.ir_version = max(compact.ir_version, _IR_VERSION)
    return compact


class _Form:
    """How exact the trees are kept."""

    def __init__(self, bits: int, rows: Floats | None) -> None:
        self.bits = bits
        self._rows = rows

    def forest(self, forest: Forest) -> Forest:
        return forest if self._rows is None else shorten(forest, self._rows)


def _write(graph: GraphBuilder, node: NodeProto, ensemble: Ensemble, form: _Form) -> None:
    """Append nodes whose last ones have the outputs' names of the given node."""
    sums = _sums(graph, node.input[0], ensemble, form)
    if ensemble.labels is None:
        _after(graph, ensemble.after, sums, node.output[0])
        return
    scores = node.output[1] if len(node.output) > 1 else ""
    if ensemble.single >= 0:
        scores = _of_one(graph, ensemble, sums, scores)
    else:
        scores = _after(graph, ensemble.after, sums, scores)
    best = graph.add("ArgMax", scores, axis=1, keepdims=0)
    graph.add("Gather", graph.keep_labels(ensemble.labels), best, output=node.output[0])


def _sums(graph: GraphBuilder, x: str, ensemble: Ensemble, form: _Form) -> str:
    forest = form.forest(ensemble.forest)
    table = forest.leaf_values
    if ensemble.single >= 0:
        table = table[:, [ensemble.single]]
    base = ensemble.base if any(ensemble.base) else ()
    if (np.count_nonzero(table, axis=1) > 1).any():
        kept = Table.STEPS if form.bits and _shares(table) else Table.FLOAT32
        total = write_tables(graph, x, forest.with_values(table), kept)
        if ensemble.average:
            trees = np.array([forest.trees], np.float32)
            total = graph.add("Div", total, graph.keep(trees))
    else:
        targets = np.abs(table).argmax(axis=1)
        values = table[np.arange(len(table)), targets]
        if form.bits:
            middle = tree_middles(values, forest.leaf_tree)
            if (targets == targets[0]).all():  # then what is taken from a tree has one place to go
                share = middle.sum() / (forest.trees if ensemble.average else 1)
                values = values - middle[forest.leaf_tree]
                base = (*np.add(base or (0.0,), share).tolist(),)
            values = rounded(values, forest.leaf_tree, form.bits)
        sums = Sums(values.astype(np.float32), targets, table.shape[1], ensemble.average)
        total = write_ensemble(graph, x, forest, sums)
    if base:
        total = graph.add("Add", total, graph.keep(np.array([base[-table.shape[1] :]], np.float32)))
    return total


def _shares(table: Doubles) -> bool:
    return bool((table >= 0).all() and (table <= 1).all())


def _after(graph: GraphBuilder, after: str, sums: str, output: str) -> str:
    if after == "SOFTMAX":
        return graph.add("Softmax", sums, axis=1, output=output)
    return graph.add("Sigmoid" if after == "LOGISTIC" else "Identity", sums, output=output)


def _of_one(graph: GraphBuilder, ensemble: Ensemble, score: str, output: str) -> str:
    """Both classes' scores from the one that leaves speak of, as ONNX Runtime makes them."""
    if ensemble.after == "LOGISTIC":
        score = graph.add("Sigmoid", score)
    one = graph.keep(np.ones(1, np.float32))
    signless = ensemble.after == "LOGISTIC" or (ensemble.forest.leaf_values >= 0).all()
    rest = graph.add("Sub", one, score) if signless else graph.add("Neg", score)
    return graph.add("Concat", rest, score, axis=1, output=output)


def _same(model: ModelProto, compact: ModelProto, forests: list[Forest]) -> bool:
    """Whether both answer alike on rows at the thresholds and just beside them."""
    try:
        sessions = [_session(m) for m in (model, compact)]
        [given] = sessions[0].get_inputs()
        rows = _probes(forests, _width(given.shape, forests))
        pairs = zip(*(s.run(None, {given.name: rows}) for s in sessions), strict=True)
        return all(_alike(one, other) for one, other in pairs)
    except (*_REFUSED, ValueError, TypeError, IndexError):
        return False


_REFUSED = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


def _session(model: ModelProto) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _width(shape: list[int | str | None], forests: list[Forest]) -> int:
    if len(shape) == 2 and isinstance(shape[1], int):  # noqa: PLR2004  # rows and features
        return shape[1]
    return 1 + max(int(forest.feature.max(initial=0)) for forest in forests)


def _probes(forests: list[Forest], width: int) -> Floats:
    """Rows of thresholds, of the numbers next to them, and of missing values."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(_PROBES, width)).astype(np.float32)
    for forest in forests:
        for feature in np.unique(forest.feature[forest.feature < width]):
            known = forest.threshold[forest.feature == feature]
            picked = rng.choice(known, _PROBES)
            beside = np.nextafter(picked, np.float32(np.inf))
            rows[:, feature] = np.where(rng.random(_PROBES) < 0.5, picked, beside)  # noqa: PLR2004
    rows[rng.random(rows.shape) < 0.02] = np.nan  # noqa: PLR2004  # a few are missing
    return rows


def _alike(one: object, other: object) -> bool:
    if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray):
        return isinstance(one, list) and one == other
    if one.dtype.kind != "f":
        return float(np.mean(one != other)) < 0.02  # noqa: PLR2004  # exact ties of two classes
    scale = max(1.0, float(np.abs(one).max(initial=0)))
    return one.shape == other.shape and bool(np.abs(one - other).max(initial=0) <= _CLOSE * scale)
