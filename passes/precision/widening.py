"""Tensors of short floats, widened."""

from typing import Any

from fsa.bindings import arith, ir, linalg, tensor
from fsa.passes.patterns.tensors import elementwise, sizes_of


def widened(init: Any, wide: Any) -> Any:
    """Build the tensor `init` with elements of the longer float type `wide`; a fill stays one."""
    sizes = sizes_of(init)
    owner = None if isinstance(init.owner, ir.Block) else init.owner.operation
    if owner is not None and owner.name == "linalg.fill":
        value = arith.extf(wide, owner.operands[0])
        return linalg.fill(value, outs=[tensor.empty(sizes, wide)])
    return elementwise(sizes, wide, [init], lambda x: arith.extf(wide, x))
