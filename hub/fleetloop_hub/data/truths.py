"""Whether a rule across columns holds, row by row."""

import ast
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fleetloop_hub.spec.expressions import names_in, parsed

Floats = npt.NDArray[np.float64]

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Mod: np.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}


def holds(check: str, columns: Mapping[str, Floats], rows: int) -> npt.NDArray[np.bool_]:
    """Whether it holds for each row; where a value it speaks of is missing, it does.

    Args:
        check: The expression.
        columns: The values of `names_in`, NaN where missing.
        rows: How many rows there are.

    Raises:
        ValueError: It is no expression of the allowed kind.

    >>> a = np.array([1.0, 5.0, np.nan])
    >>> holds("a < 3", {"a": a}, 3).tolist()
    [True, False, True]
    """
    tree = parsed(check)
    with np.errstate(all="ignore"):
        result = np.broadcast_to(_evaluate(tree, columns), rows).astype(bool)
    missing = np.zeros(rows, bool)
    for name in names_in(check):
        missing |= np.isnan(columns[name])
    return result | missing


def _evaluate(  # noqa: PLR0911  # one a kind of node
    node: ast.expr, columns: Mapping[str, Floats]
) -> Any:  # noqa: ANN401  # number or truth
    match node:
        case ast.BoolOp(op=op, values=values):
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            parts = [_evaluate(value, columns) for value in values]
            result = parts[0]
            for part in parts[1:]:
                result = join(result, part)
            return result
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return np.logical_not(_evaluate(operand, columns))
        case ast.UnaryOp(op=op, operand=operand):
            value = _evaluate(operand, columns)
            return np.negative(value) if isinstance(op, ast.USub) else value
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [_evaluate(part, columns) for part in (left, *others)]
            truths = [
                _COMPARISONS[type(op)](a, b)
                for op, a, b in zip(ops, sides[:-1], sides[1:], strict=True)
            ]
            return np.logical_and.reduce(np.broadcast_arrays(*truths))
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_evaluate(left, columns), _evaluate(right, columns))
        case ast.Name(id=name):
            return columns[name]
        case ast.Constant(value=value):
            return float(value)  # type: ignore[arg-type]  # parsed has seen that it is one
        case _:
            raise ValueError(f"{ast.unparse(node)!r} is not allowed")
