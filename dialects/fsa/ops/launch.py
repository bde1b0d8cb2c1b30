"""`fsa.launch`: run a kernel over a grid, tensors in and tensors out."""

import types
from collections.abc import Sequence
from typing import Any

from fsa.bindings import ext, ir
from fsa.dialects.fsa import variadic
from fsa.dialects.fsa.verifier import VerifiedOp


def _fields(namespace: dict[str, Any]) -> None:
    namespace["__doc__"] = "Run the kernel `kernel` with a grid of workgroups."
    namespace["__module__"] = __name__
    namespace["__annotations__"] = {
        "grid_x": ext.Operand[ir.IndexType],
        "grid_y": ext.Operand[ir.IndexType],
        "grid_z": ext.Operand[ir.IndexType],
        "result_dims": Sequence[ext.Operand[ir.IndexType]],
        "scalars": Sequence[ext.Operand[ir.IntegerType]],
        **variadic.inputs(),
        **variadic.outputs(),
        "kernel": Any,  # SymbolRefAttr
        "workgroup_size": Any,  # DenseI64ArrayAttr: x, y, z
    }


Launch = types.new_class("Launch", (VerifiedOp,), {"name": "launch", "traits": [ext.Pure]}, _fields)
