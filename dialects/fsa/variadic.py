"""Numbered optional fields: how an op takes any number of values of mixed types.

An IRDL variadic group has one type for all its values, so ops that take any tensors declare
numbered optional fields instead: `input_0` ... `input_31` and `output_0` ... `output_15`.
"""

from typing import Any, Optional

from fsa.bindings import ext

MAX_INPUTS = 32
MAX_OUTPUTS = 16


def inputs() -> dict[str, Any]:
    """Annotations of `MAX_INPUTS` optional operands of any type."""
    return {f"input_{i}": Optional[ext.Operand[Any]] for i in range(MAX_INPUTS)}  # noqa: UP045


def outputs() -> dict[str, Any]:
    """Annotations of `MAX_OUTPUTS` optional results of any type."""
    return {f"output_{i}": Optional[ext.Result[Any]] for i in range(MAX_OUTPUTS)}  # noqa: UP045


def padded(values: list[Any], limit: int, what: str) -> list[Any]:
    """Return `values` filled up with None to `limit`; raise ValueError when there are more."""
    if len(values) > limit:
        raise ValueError(f"expected at most {limit} {what}, found {len(values)}")
    return [*values, *[None] * (limit - len(values))]
