"""Lowerings that are wrong, or hold for some values only.

torch-mlir guards the latter by an assertion in the body of a loop. No device stops a kernel there,
so that a determinant whose rows would have to be exchanged, say, comes out as NaN without a word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fsa.errors import InputError
from fsa.frontend.failing_nodes import describe_node
from fsa.frontend.torch_types import tensor_element, tensor_sizes
from fsa.locations import place_of

# What such a guard says where the arithmetic is right all the same: 1 / 0 is infinite.
_RIGHT = "tensor with zero element"

# What torch-mlir lowers to something else than the op means, and how.
_WRONG = {
    "onnx.GridSample": "reads outside of the image, and rounds otherwise than ONNX",
    "torch.aten.grid_sampler": "reads outside of the image",
    "onnx.LSTM": "leaves out the weights of peepholes",
    "onnx.QLinearMatMul": "is wrong for tensors of more than two axes",
    "onnx.QuantizeLinear": "gives NaN for what floats of 8 bits do not hold",
    "onnx.Split": "takes sizes that are computed at run time for equal ones",
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
        if kind in _WRONG and _ONLY.get(kind, _always)(op):
            found.append(f"{describe_node(op)} is not supported: its lowering {_WRONG[kind]}")
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    if found:
        raise InputError(f"{what} cannot be lowered: {'; '.join(found)}")


def _always(_: Any) -> bool:
    return True


def _has_peepholes(op: Any) -> bool:
    weights = list(op.operands)[_LSTM_OPERANDS:]
    return any(str(value.type) != "!torch.none" for value in weights)


def _is_batched(op: Any) -> bool:
    return len(tensor_sizes(op.results[0].type) or []) > 2


def _gives_small_floats(op: Any) -> bool:
    return (tensor_element(op.results[0].type) or "").startswith("f8")


def _has_open_sizes(op: Any) -> bool:
    from fsa.bindings import ir

    sizes = list(op.operands)[1:]
    if not sizes:
        return False
    if isinstance(sizes[0].owner, ir.Block):
        return True
    owner = sizes[0].owner.operation
    if owner.name == "torch.operator":
        return ir.StringAttr(owner.attributes["name"]).value != "onnx.Constant"
    return not owner.name.startswith(("torch.vtensor.literal", "torch.constant."))


# Where only some nodes of a kind are wrong, which.
_ONLY: dict[str, Callable[[Any], bool]] = {
    "onnx.LSTM": _has_peepholes,
    "onnx.QLinearMatMul": _is_batched,
    "onnx.QuantizeLinear": _gives_small_floats,
    "onnx.Split": _has_open_sizes,
}


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
