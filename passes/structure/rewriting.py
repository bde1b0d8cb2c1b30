"""Putting new values in the place of an op."""

from collections.abc import Sequence
from typing import Any


def replace_op(op: Any, values: Sequence[Any]) -> None:
    """Replace an op (an `ir.Operation`) by `values`, one a result, and erase it."""
    for result, value in zip(op.results, values, strict=True):
        result.replace_all_uses_with(value)
    op.erase()
