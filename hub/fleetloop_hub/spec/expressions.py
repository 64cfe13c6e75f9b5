"""Rules across columns: an expression is read, never run; only what is listed here may be in it."""

import ast

_ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
_DEEPEST = 50
_LARGEST = 1e300


def names_in(check: str) -> set[str]:
    """The columns that an expression speaks of.

    Raises:
        ValueError: It is no such expression; the text says what in it is not.

    >>> sorted(names_in("low <= high and not high > 2 * low"))
    ['high', 'low']
    """
    return {node.id for node in ast.walk(parsed(check)) if isinstance(node, ast.Name)}


def parsed(check: str) -> ast.expr:
    """An expression as a tree in which nothing but what is allowed is.

    Raises:
        ValueError: It is no such expression; the text says what in it is not.
    """
    try:
        tree = ast.parse(check.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{check!r} is not an expression ({error})") from error
    _demand_truth(tree, 0)
    return tree


def _demand_truth(node: ast.expr, depth: int) -> None:
    """What is true or false: comparisons, and what joins them."""
    _demand_shallow(depth)
    match node:
        case ast.BoolOp(values=parts):
            for part in parts:
                _demand_truth(part, depth + 1)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _demand_truth(operand, depth + 1)
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            isinstance(op, _COMPARISONS) for op in ops
        ):
            for part in (left, *others):
                _demand_number(part, depth + 1)
        case ast.Compare():
            raise ValueError(f"{ast.unparse(node)!r} is not allowed")
        case _:
            _demand_number(node, depth + 1)
            raise ValueError(f"{ast.unparse(node)!r} compares nothing")


def _demand_number(node: ast.expr, depth: int) -> None:
    """What is a number: columns, numbers, and arithmetic with them."""
    _demand_shallow(depth)
    match node:
        case ast.Name():
            return
        case ast.Constant(value=bool()):
            raise ValueError(f"{ast.unparse(node)!r} is not allowed")
        case ast.Constant(value=int() | float() as value) if abs(value) < _LARGEST:
            return
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _demand_number(operand, depth + 1)
        case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _ARITHMETIC):
            _demand_number(left, depth + 1)
            _demand_number(right, depth + 1)
        case _:
            raise ValueError(f"{ast.unparse(node)!r} is not allowed")


def _demand_shallow(depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("it is nested too deep: split it into several rules")
