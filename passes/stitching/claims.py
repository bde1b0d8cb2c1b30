"""Ops that the planned kernels of matmuls and convolutions compute: their element-wise epilogues.

Such a kernel computes element-wise ops behind it before it stores, at no cost in memory traffic.
The emitters' own functions find those ops, so that no region takes an op that a kernel counts on.
"""

from typing import Any

from fsa.bindings import ir
from fsa.passes.binarized.fusion import PRODUCERS, planned_finish
from fsa.passes.convolution.forms import FORMS
from fsa.passes.convolution.lower import epilogue_of
from fsa.passes.matmul.chains import chain_behind
from fsa.passes.plans import ATTRIBUTE

NO_KERNEL = ("portable", "initial")


def has_kernel(op: Any) -> bool:
    """Whether the plan of a matmul or convolution gives it to a kernel."""
    if op.name in PRODUCERS:
        return planned_finish(op) is not None
    form = _plan(op).get("form")
    return form is not None and form not in NO_KERNEL


def claimed_by(op: Any) -> list[Any]:
    """Return the ops behind a matmul or convolution with a kernel that this kernel computes."""
    if op.name in PRODUCERS:
        finish = planned_finish(op)
        return list(finish.chain.ops) if finish is not None else []
    if op.name in FORMS:
        return list(epilogue_of(op).ops)
    return list(chain_behind(op.results[0], _plan(op).get("epilogue", 0)).ops)


def _plan(op: Any) -> dict[str, Any]:
    if ATTRIBUTE not in op.attributes or not op.name.startswith("linalg."):
        return {}
    attribute = op.attributes[ATTRIBUTE]
    if not isinstance(attribute, ir.DictAttr):
        return {}
    scalars = (ir.StringAttr, ir.IntegerAttr)
    return {e.name: e.attr.value for e in attribute if isinstance(e.attr, scalars)}
