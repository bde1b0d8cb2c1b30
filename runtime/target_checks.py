"""What a target cannot do, found before IREE sees a module, and what a machine lacks to run one."""

from __future__ import annotations

import re
from typing import Any

from fsa.errors import TargetError
from fsa.locations import place_of
from fsa.runtime import host
from fsa.runtime.targets import HOST_CPU, Target

_FLOAT = re.compile(r"(?<![A-Za-z0-9])(?:\d+x|\?x)*(f64|f16)\b")
# Features whose absence turns a compiled module into an illegal instruction.
_DECISIVE = frozenset(
    "avx avx2 fma f16c bmi2 avx512f avx512bw avx512dq avx512vl avx512_bf16 avx512_fp16 "
    "avx512_vnni avx512_vpopcntdq avx512_bitalg amx_tile asimddp asimdhp i8mm bf16 sve".split()
)


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


def required_features(target: Target) -> frozenset[str]:
    """Return the processor features, by Linux's names, that code for `target` may use."""
    if target.kind != "cpu":
        return frozenset()
    if target.arch == HOST_CPU:
        return _DECISIVE & host.features()
    needed = {256: {"avx"}, 512: {"avx", "avx2", "avx512f"}}.get(target.vector_bits, set[str]())
    if target.has_vector_popcount:
        needed = needed | {"avx512_vpopcntdq"}
    return frozenset(needed)


def missing_features(required: str) -> list[str]:
    """Return which of the comma-separated features this machine lacks; none where it names none."""
    available = host.features()
    if not available or not required:
        return []
    return sorted(set(required.split(",")) - available)
