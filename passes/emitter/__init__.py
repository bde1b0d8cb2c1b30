"""The kernel emitter: builds kernels and their launches on MLIR's Python bindings.

A pass makes a `KernelSpec` (data) from the plan on an op, fills the kernel through the builder, and
calls it with `emit_guarded_launch`; `docs/kernel-emitter.md` walks through an example.
"""

from fsa.passes.emitter.builder import Builder
from fsa.passes.emitter.control import Branch, Loop
from fsa.passes.emitter.kernel import MAX_GRID, Kernel, KernelSpec, grid_for, kernel
from fsa.passes.emitter.launch import (
    emit_guarded_launch,
    emit_launch,
    empty_tensors,
    filled,
    guarded,
    tensor_dims,
)
from fsa.passes.emitter.memory import REDUCTIONS
from fsa.passes.emitter.types import Index, Scalar, Value

__all__ = [
    "MAX_GRID",
    "REDUCTIONS",
    "Branch",
    "Builder",
    "Index",
    "Kernel",
    "KernelSpec",
    "Loop",
    "Scalar",
    "Value",
    "emit_guarded_launch",
    "emit_launch",
    "empty_tensors",
    "filled",
    "grid_for",
    "guarded",
    "kernel",
    "tensor_dims",
]
