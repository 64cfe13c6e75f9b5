"""What a rule's check may look like: arithmetic and comparisons over column names, nothing else."""

import ast

_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.Pow, ast.Compare,
    ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Name, ast.Load, ast.Constant,
)  # fmt: skip
_CONSTANTS = (int, float, str)


def names_in(check: str) -> set[str]:
    """The columns that an expression speaks of.

    Raises:
        ValueError: It is no such expression; the text says what in it is not.

    Examples:
        >>> sorted(names_in("low <= high and not high > 2 * low"))
        ['high', 'low']
    """
    try:
        tree = ast.parse(check.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"{check!r} is not an expression ({error})") from error
    for node in ast.walk(tree):
        number_or_text = not isinstance(node, ast.Constant) or isinstance(node.value, _CONSTANTS)
        if not isinstance(node, _ALLOWED) or not number_or_text:
            raise ValueError(f"{ast.unparse(node) or type(node).__name__!r} is not allowed")
    if not any(isinstance(node, ast.Compare) for node in ast.walk(tree)):
        raise ValueError(f"{check!r} compares nothing")
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
