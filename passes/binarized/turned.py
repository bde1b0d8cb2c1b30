"""Constant weights in the layout that the CPU kernels read: turned around when compiling.

Blocks of columns follow each other; in a block, word by word, stand the words of its columns. What
fills a last block up is 0.
"""

from typing import Any

import numpy as np

from fsa.bindings import ir
from fsa.dialects.fsa.constants import Array, constant_array, stored_attribute


def is_constant(value: Any) -> bool:
    """Tell whether `value` is a constant of the module."""
    if isinstance(value.owner, ir.Block):
        return False
    return value.owner.operation.name == "arith.constant"


def turned_words(words: Array, groups: int, block: int) -> Array:
    """Return words [columns, K] as [groups * blocks of a group, K, block]."""
    columns, depth = words.shape
    each = columns // groups
    blocks = -(-each // block)
    filled = np.zeros((groups, blocks * block, depth), words.dtype)
    filled[:, :each] = words.reshape(groups, each, depth)
    by_block = filled.reshape(groups * blocks, block, depth)
    return np.ascontiguousarray(by_block.transpose(0, 2, 1))


def turned(value: Any, groups: int, block: int, made: dict[Any, Any]) -> Any:
    """Return the constant `value` [columns, ...] turned, as a constant behind it.

    `made` holds what was turned before, so that ops that share weights go on sharing them. None
    where its elements cannot be read.
    """
    key = (value, groups, block)
    if key in made:
        return made[key]
    array = constant_array(value)
    if array is None:
        return None
    words = turned_words(array.reshape(len(array), -1), groups, block)
    element = value.type.element_type
    kind = ir.RankedTensorType.get(words.shape, element)
    attribute = stored_attribute(words, element, "bits")
    with ir.InsertionPoint.after(value.owner.operation):
        op = ir.Operation.create("arith.constant", results=[kind], attributes={"value": attribute})
    made[key] = op.result
    return op.result
