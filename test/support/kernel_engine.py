"""Runs CPU kernels with upstream's ExecutionEngine: an oracle beside IREE."""

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from fsa.bindings import execution_engine, ir, passmanager

LOWERING = (
    "builtin.module(canonicalize,convert-vector-to-scf,convert-scf-to-cf,expand-strided-metadata,"
    "lower-affine,convert-vector-to-llvm,arith-expand,convert-math-to-llvm,"
    "finalize-memref-to-llvm,convert-arith-to-llvm,convert-index-to-llvm,convert-func-to-llvm,"
    "convert-cf-to-llvm,convert-ub-to-llvm,reconcile-unrealized-casts)"
)


def descriptor_of(array: np.ndarray) -> Any:
    """Return the memref descriptor of a contiguous array."""

    class Descriptor(ctypes.Structure):
        _fields_ = [
            ("allocated", ctypes.c_void_p),
            ("aligned", ctypes.c_void_p),
            ("offset", ctypes.c_int64),
            ("sizes", ctypes.c_int64 * array.ndim),
            ("strides", ctypes.c_int64 * array.ndim),
        ]

    assert array.flags.c_contiguous
    pointer = array.ctypes.data
    strides = [stride // array.itemsize for stride in array.strides]
    return Descriptor(
        pointer,
        pointer,
        0,
        (ctypes.c_int64 * array.ndim)(*array.shape),
        (ctypes.c_int64 * array.ndim)(*strides),
    )


def run_kernel(
    module: Any,
    name: str,
    arrays: Sequence[np.ndarray],
    grid: Sequence[int] = (1, 1, 1),
    scalars: Sequence[int] = (),
) -> None:
    """Run the CPU kernel `name` of `module` for every workgroup of `grid`, in place on `arrays`.

    `arrays` are the inputs, then the outputs. The module is copied, and stays as it is.
    """
    grid = [*grid, 1, 1, 1][:3]
    with module.context, ir.Location.unknown():
        copy = ir.Module.create()
        for op in module.body.operations:
            is_kernel = "fsa.kernel" in op.operation.attributes
            if is_kernel and op.operation.attributes["sym_name"].value == name:
                kernel = op.operation.clone(ip=ir.InsertionPoint(copy.body))
                kernel.attributes["llvm.emit_c_interface"] = ir.UnitAttr.get()
                del kernel.operation.attributes["sym_visibility"]
        passmanager.PassManager.parse(LOWERING).run(copy.operation)
        engine = execution_engine.ExecutionEngine(copy, opt_level=2)
        descriptors = [descriptor_of(array) for array in arrays]
        pointers = [ctypes.pointer(ctypes.pointer(descriptor)) for descriptor in descriptors]
        words = [ctypes.pointer(ctypes.c_int32(scalar)) for scalar in scalars]
        for z in range(grid[2]):
            for y in range(grid[1]):
                for x in range(grid[0]):
                    ids = [ctypes.pointer(ctypes.c_int64(i)) for i in (x, y, z)]
                    engine.invoke(name, *words, *pointers, *ids)
