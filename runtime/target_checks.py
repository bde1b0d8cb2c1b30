"""What a target cannot do, found before IREE sees a module."""

from __future__ import annotations

import re
from typing import Any

from fsa.errors import TargetError
from fsa.locations import place_of
from fsa.runtime.targets import Target

# Functions that IREE's run-time library for CPUs lacks, by the widest type that they do work for.
_NO_FUNCTION_ON_CPU = {
    **dict.fromkeys(("math.erfc", "math.log10"), 0),
    **{
        f"math.{name}": 32 for name in "acos asin atan atan2 cbrt cos erf log2 sin tan tanh".split()
    },
    "arith.remf": 32,
}
_FLOAT = re.compile(r"(?<![A-Za-z0-9])(?:\d+x|\?x)*(f64|f16)\b")


def check_types(root: Any, target: Target) -> None:
    """Raise `TargetError` at the first f64 or f16 in `root` (an `ir.Operation`) not in `target`."""
    lacking = {"f64"} if not target.has_f64 else set[str]()
    lacking |= {"f16"} if not target.has_f16 else set()
    if not lacking:
        return
    from fsa.bindings import ir

    found: list[tuple[str, str]] = []

    def visit(op: Any) -> Any:
        op = op.operation
        texts = [str(result.type) for result in op.results]
        texts += [str(operand.type) for operand in op.operands]
        if "function_type" in op.attributes:
            texts.append(str(op.attributes["function_type"]))
        for text in texts:
            names = [name for name in _FLOAT.findall(text) if name in lacking]
            if names:
                found.append((names[0], f"{op.name} with {text}{place_of(op)}"))
                return ir.WalkResult.INTERRUPT
        return ir.WalkResult.ADVANCE

    root.walk(visit)
    if not found:
        return
    name, place = found[0]
    if name == "f64":
        raise TargetError(
            f"the target {target} has no f64: expected floats of at most 32 bits, found {place}"
            "; convert the model to f32 or compile for cpu or cuda"
        )
    raise TargetError(
        f"the target {target} has no f16: expected f32 or bf16, found {place}; convert the model, "
        "or compile for a Vulkan target that has f16, such as vulkan:ampere"
    )


def check_functions(root: Any, target: Target) -> None:
    """Raise `TargetError` at the first function in `root` that `target` has no code for."""
    if target.kind != "cpu":
        return
    from fsa.bindings import ir

    found: list[str] = []

    def visit(op: Any) -> Any:
        op = op.operation
        widest = _NO_FUNCTION_ON_CPU.get(op.name)
        if widest is None:
            return ir.WalkResult.ADVANCE
        element = op.results[0].type
        element = element.element_type if isinstance(element, ir.ShapedType) else element
        if element.width <= widest:
            return ir.WalkResult.ADVANCE
        expected = f"floats of at most {widest} bits" if widest else "another function"
        found.append(
            f"the target {target} has no code for {op.name} of {element}: expected {expected}"
            f"{place_of(op)}"
        )
        return ir.WalkResult.INTERRUPT

    root.walk(visit)
    if found:
        raise TargetError(found[0])
