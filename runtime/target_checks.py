"""What a target cannot do, found before IREE sees a module."""

from __future__ import annotations

import re
from typing import Any

from fsa.errors import TargetError
from fsa.locations import place_of
from fsa.runtime.targets import Target

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
