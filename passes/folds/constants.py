"""Fold ops whose operands are all constants, by the reference of the op."""

from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.constants import attribute_of, constant_array
from fsa.dialects.fsa.evaluation import fsa_ops
from fsa.dialects.fsa.shapes import type_dims

# Their results are smaller than their operands, so folding them never grows the module.
SHRINKING = ("fsa.pack_bits", "fsa.binarized_threshold")


def fold_constants(op: Any, max_elements: int) -> Any:
    """Return a constant with the result of `op`, which has one, built in front of it, or None.

    Ops whose result has more than `max_elements` elements stay, except those of `SHRINKING`.
    """
    if not fsa_ops.has_reference(op.name):
        return None
    type = op.results[0].type
    if None in type_dims(type):
        return None
    if op.name not in SHRINKING and int(np.prod(type.shape)) > max_elements:
        return None
    arrays: list[Any] = []
    for operand in op.operands:
        arrays.append(constant_array(operand))
        if arrays[-1] is None:  # large weights beside it need not be read
            return None
    (value,) = fsa_ops.evaluate(op, arrays)
    return ir.Operation.create(
        "arith.constant",
        results=[type],
        attributes={"value": attribute_of(value, type.element_type)},
        loc=op.location,
        ip=ir.InsertionPoint(op),
    ).results[0]
