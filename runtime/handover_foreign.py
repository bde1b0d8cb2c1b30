"""Functions of ops that only IREE has get their bodies back; `fsa/frontend/foreign_ops.py`."""

from __future__ import annotations

from typing import Any

from fsa.dialects.fsa.markers import FOREIGN_BODY


def restore_foreign_ops(module: Any) -> None:
    """Replace each declaration in `module` (IREE's) that carries its text by that function."""
    from iree.compiler import ir

    for op in list(module.body.operations):
        attributes = op.operation.attributes
        if op.operation.name != "func.func" or FOREIGN_BODY not in attributes:
            continue
        held = ir.Module.parse(ir.StringAttr(attributes[FOREIGN_BODY]).value)
        (function,) = list(held.body.operations)
        with ir.InsertionPoint(op), op.operation.location:
            function.operation.clone()
        op.operation.erase()
