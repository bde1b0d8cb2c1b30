"""Transposes of unpacked constants: bits are turned when compiling, not floats in each call."""

from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.attributes import read_i64
from fsa.dialects.fsa.constants import constant_array, stored_attribute
from fsa.dialects.fsa.ops.unpack_bits import unpack_bits
from fsa.dialects.fsa.packed_arrays import pack, unpack
from fsa.passes.structure.transposes import transpose_of


def turn_unpacked(op: Any) -> bool:
    """Make what transposes the matrix of an `fsa.unpack_bits` of constants unpack turned bits.

    `op` is of any name; tell whether a transpose lost its users. It stays, without use.
    """
    if op.name != "fsa.unpack_bits" or op.results[0].type.rank != 2:
        return False
    transposes = [
        owner.results[0]
        for owner in (use.owner.operation for use in op.results[0].uses)
        if len(owner.results) == 1
        and list(owner.results[0].uses)
        and transpose_of(owner.results[0]) == (op.results[0], (1, 0))
    ]
    words = constant_array(op.operands[0]) if transposes else None
    if words is None or not words.size:
        return False
    element = op.operands[0].type.element_type
    bits = unpack(words, read_i64(op.attributes, "depth"))
    turned = pack(np.ascontiguousarray(bits.T), element.width)
    if turned.size > 4 * words.size:  # few rows fill whole words with little
        return False
    with op.location, ir.InsertionPoint(op):
        kind = ir.RankedTensorType.get(turned.shape, element)
        value = stored_attribute(turned, element, "bits")
        constant = ir.Operation.create(
            "arith.constant", results=[kind], attributes={"value": value}
        )
        made = unpack_bits(
            constant.result, depth=bits.shape[0], element=op.results[0].type.element_type
        )
    for transpose in transposes:
        transpose.replace_all_uses_with(made)
    return True
