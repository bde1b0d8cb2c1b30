"""Lowerings that are wrong, or hold for some values only.

torch-mlir guards the latter by an assertion in the body of a loop. No device stops a kernel there,
so that a determinant whose rows would have to be exchanged, say, comes out as NaN without a word.
"""

from __future__ import annotations

import re
from typing import Any

from fsa.errors import InputError
from fsa.frontend.failing_nodes import describe_node
from fsa.locations import place_of

# What such a guard says where the arithmetic is right all the same: 1 / 0 is infinite.
_RIGHT = "tensor with zero element"

# What torch-mlir lowers to something else than the op means, and how.
_WRONG = {
    "onnx.GridSample": "reads outside of the image, and rounds otherwise than ONNX",
    "torch.aten.grid_sampler": "reads outside of the image",
    "onnx.LSTM": "leaves out the weights of peepholes",
}
_LSTM_OPERANDS = 7  # of an LSTM without peepholes


def refuse_wrong(module: Any, what: str) -> None:
    """Raise `InputError` for the nodes of an imported `module` whose lowering is wrong.

    `what` names the module in the error ("the ONNX graph").
    """
    from fsa.bindings import ir

    found: list[str] = []

    def visit(op: Any) -> Any:
        kind = op.name
        if kind == "torch.operator":
            kind = ir.StringAttr(op.attributes["name"]).value
        if kind in _WRONG and (kind != "onnx.LSTM" or _has_peepholes(op)):
            found.append(f"{describe_node(op)} is not supported: its lowering {_WRONG[kind]}")
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    if found:
        raise InputError(f"{what} cannot be lowered: {'; '.join(found)}")


def _has_peepholes(op: Any) -> bool:
    weights = list(op.operands)[_LSTM_OPERANDS:]
    return any(str(value.type) != "!torch.none" for value in weights)


def refuse_partial(module: Any, what: str) -> None:
    """Raise `InputError` for a lowering in `module` that leaves cases out, at its node.

    `what` names the module in the error ("the ONNX graph").
    """
    from fsa.bindings import ir

    found: list[str] = []

    def visit(op: Any) -> Any:
        if op.name == "cf.assert" and op.parent.name.startswith("linalg."):
            text = ir.StringAttr(op.attributes["msg"]).value
            reason = re.sub("^unimplemented:? *", "", text)
            if reason not in (text, _RIGHT):
                found.append(f"the lowering{place_of(op)} leaves out {reason}")
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    if found:
        raise InputError(f"{what} cannot be lowered: {'; '.join(dict.fromkeys(found))}")
