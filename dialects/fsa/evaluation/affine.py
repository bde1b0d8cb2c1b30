"""Affine maps and expressions, evaluated on integers or on arrays of indices."""

from collections.abc import Sequence
from typing import Any

from fsa.bindings import ir


def evaluate_map(affine_map: Any, inputs: Sequence[Any]) -> list[Any]:
    """Return the results of `affine_map` for `inputs`: its dimensions, then its symbols."""
    dims, symbols = inputs[: affine_map.n_dims], inputs[affine_map.n_dims :]
    return [evaluate_expression(result, dims, symbols) for result in affine_map.results]


def evaluate_expression(expression: Any, dims: Sequence[Any], symbols: Sequence[Any] = ()) -> Any:
    """Return the value of an affine expression; division and mod are those of affine (floor)."""
    if isinstance(expression, ir.AffineConstantExpr):
        return expression.value
    if isinstance(expression, ir.AffineDimExpr):
        return dims[expression.position]
    if isinstance(expression, ir.AffineSymbolExpr):
        return symbols[expression.position]
    left = evaluate_expression(expression.lhs, dims, symbols)
    right = evaluate_expression(expression.rhs, dims, symbols)
    if isinstance(expression, ir.AffineAddExpr):
        return left + right
    if isinstance(expression, ir.AffineMulExpr):
        return left * right
    if isinstance(expression, ir.AffineModExpr):
        return left % right
    if isinstance(expression, ir.AffineFloorDivExpr):
        return left // right
    return -(-left // right)


def plain_dimension(expression: Any) -> int | None:
    """Return the number of the dimension that `expression` is, or None."""
    return expression.position if isinstance(expression, ir.AffineDimExpr) else None
