"""TreeEnsemble (ai.onnx.ml 5): tables of tests in flash and a loop that follows them."""

from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, numpy_helper

from fleetloop_hub.errors import UnsupportedModelError
from fleetloop_hub.packaging.c_program.drafting import Draft
from fleetloop_hub.packaging.c_program.flash import smallest
from fleetloop_hub.packaging.c_program.graph_facts import attributes

OPERATORS = frozenset({"TreeEnsemble"})

_AVERAGE, _SUM = 0, 1
_LESS_OR_EQUAL, _EQUAL = 0, 4
_IS_EQUAL, _MISSING_LEFT = 1, 2

_WALK = """\
static size_t {name}_leaf(const float *x, int32_t place)
{{
    while (place >= 0) {{
        const float value = x[{feature}[place]];
        place = {test} ? {left}[place] : {right}[place];
    }}
    return (size_t)(-1 - place);
}}

static void {name}(const float *x, float *sums)
{{
    for (size_t i = 0; i < {targets}; i++)
        sums[i] = 0.0f;
    for (size_t tree = 0; tree < {trees}; tree++) {{
        const size_t leaf = {name}_leaf(x, {roots}[tree]);
        sums[{target}] += {weights}[leaf];
    }}
{after}}}
"""

_AVERAGED = """\
    for (size_t i = 0; i < {targets}; i++)
        sums[i] = sums[i] / {trees}.0f;
"""


def write(draft: Draft, node: NodeProto) -> None:
    """Append the sums of a stored row's leaves.

    Raises:
        UnsupportedModelError: It holds float64 numbers, or tests and sums that are not known here.
    """
    given = attributes(node)
    _check(given)
    name = f"trees{len(draft.functions)}"
    draft.functions.append(_function(draft, given, name))
    source, output = draft.store(node.input[0]), node.output[0]
    into = draft.buffer(output)
    draft.keep(output, f"{name}({source}, {into});", into, frozenset({source}))


def _check(given: dict[str, Any]) -> None:
    for tensor in ("leaf_weights", "nodes_splits"):
        if given[tensor].data_type != TensorProto.FLOAT:
            raise UnsupportedModelError("TreeEnsemble with numbers that are no float32")
    modes = numpy_helper.to_array(given["nodes_modes"])
    if not np.isin(modes, [_LESS_OR_EQUAL, _EQUAL]).all():
        raise UnsupportedModelError("TreeEnsemble with tests other than <= and ==")
    if given.get("post_transform", 0) or given.get("aggregate_function", _SUM) > _SUM:
        raise UnsupportedModelError("TreeEnsemble that does more than add up or average its leaves")


def _function(draft: Draft, given: dict[str, Any], name: str) -> str:
    left = _places(given["nodes_truenodeids"], given["nodes_trueleafs"])
    right = _places(given["nodes_falsenodeids"], given["nodes_falseleafs"])
    targets, leaf_target = given["n_targets"], np.array(given["leaf_targetids"])
    trees = len(given["tree_roots"])
    average = given.get("aggregate_function", _SUM) == _AVERAGE
    kept = draft.flash.table
    return _WALK.format(
        name=name,
        feature=kept(smallest(np.array(given["nodes_featureids"]))),
        test=_test(draft, given),
        left=kept(left),
        right=kept(right),
        roots=kept(smallest(np.array(given["tree_roots"]))),
        target=f"{kept(smallest(leaf_target))}[leaf]" if leaf_target.any() else "0",
        weights=kept(numpy_helper.to_array(given["leaf_weights"])),
        trees=trees,
        targets=targets,
        after=_AVERAGED.format(targets=targets, trees=trees) if average else "",
    )


def _places(nodes: list[int], leaves: list[int]) -> np.ndarray:
    """Where a test leads: to a node, or, below 0, to a leaf."""
    places = np.where(np.array(leaves, bool), -1 - np.array(nodes), np.array(nodes))
    return places.astype(np.int16 if np.abs(places).max(initial=0) < 2**15 else np.int32)


def _test(draft: Draft, given: dict[str, Any]) -> str:
    """C text of whether `value` goes left; of NaN every comparison is false."""
    threshold = _threshold(draft, numpy_helper.to_array(given["nodes_splits"]))
    equal = numpy_helper.to_array(given["nodes_modes"]) == _EQUAL
    left = np.array(given.get("nodes_missing_value_tracks_true") or np.zeros(len(equal)), bool)
    test = f"value <= {threshold}"
    if not equal.any() and not left.any():
        return test
    flags = draft.flash.table((_IS_EQUAL * equal + _MISSING_LEFT * left).astype(np.uint8))
    if equal.any():
        test = f"(({flags}[place] & {_IS_EQUAL}) ? value == {threshold} : {test})"
    if left.any():
        test = f"({test} || (value != value && ({flags}[place] & {_MISSING_LEFT})))"
    return test


def _threshold(draft: Draft, splits: np.ndarray) -> str:
    """Thresholds as they are, or by number where many nodes share few of them."""
    known, number = np.unique(splits, return_inverse=True)
    numbers = smallest(number.reshape(-1))
    if known.nbytes + numbers.nbytes >= splits.nbytes:
        return f"{draft.flash.table(splits)}[place]"
    return f"{draft.flash.table(known)}[{draft.flash.table(numbers)}[place]]"
