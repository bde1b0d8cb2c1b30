"""Thresholds that a matmul or convolution applies to its own sums, so that only bits are stored."""

from typing import Any

from fsa.dialects.fsa.attributes import read_i64
from fsa.dialects.fsa.shapes import type_dims
from fsa.passes.plans import ATTRIBUTE

PRODUCERS = ("fsa.binarized_matmul", "fsa.binarized_conv2d")


def threshold_behind(op: Any) -> Any:
    """Return the `fsa.binarized_threshold` that is all that uses the sums of `op`, else None.

    None too where anything but the first dimensions may be empty or is open, since what an empty
    operand gives is no sum of a kernel, and for groups that end within a word.
    """
    uses = list(op.results[0].uses)
    if len(uses) != 1 or not _is_filled(op) or not _ends_with_words(op):
        return None
    user = uses[0].owner.operation
    if user.name != "fsa.binarized_threshold" or user.block != op.block:
        return None
    return user


def _is_filled(op: Any) -> bool:
    image, weights = (type_dims(value.type) for value in op.operands)
    inner = image[-1:] if op.name == "fsa.binarized_matmul" else image[1:]
    return all((*inner, *weights, type_dims(op.results[0].type)[-1]))


def _ends_with_words(op: Any) -> bool:
    groups = read_i64(op.attributes, "groups", 1)
    filters = type_dims(op.operands[1].type)[0] or 0
    return groups == 1 or filters // groups % op.operands[0].type.element_type.width == 0


def producer_of(threshold: Any) -> Any:
    """Return the op whose plan says that it stores the bits of `threshold`, else None."""
    owner = getattr(threshold.operands[0].owner, "operation", None)
    if owner is None or owner.name not in PRODUCERS or not stores_bits(owner):
        return None
    return owner


def stores_bits(op: Any) -> bool:
    """Tell whether the plan of a matmul or convolution gives it the epilogue "bits"."""
    if op.name not in PRODUCERS or ATTRIBUTE not in op.attributes:
        return False
    plan = op.attributes[ATTRIBUTE]
    return "epilogue" in plan and plan["epilogue"].value == "bits"
