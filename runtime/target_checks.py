"""What a target cannot do, found before IREE sees a module, and what a machine lacks to run one."""

from __future__ import annotations

import re
from typing import Any

from fsa.errors import TargetError
from fsa.runtime import host
from fsa.runtime.targets import HOST_CPU, Target

_F64 = re.compile(r"(?<![A-Za-z0-9])(?:\d+x|\?x)*f64\b")
# Features whose absence turns a compiled module into an illegal instruction.
_DECISIVE = frozenset(
    "avx avx2 fma f16c bmi2 avx512f avx512bw avx512dq avx512vl avx512_bf16 avx512_fp16 "
    "avx512_vnni avx512_vpopcntdq avx512_bitalg amx_tile asimddp asimdhp i8mm bf16 sve".split()
)


def check_types(root: Any, target: Target) -> None:
    """Raise `TargetError` at the first f64 of `root` (an `ir.Operation`) if `target` has none."""
    if target.has_f64:
        return
    from fsa.bindings import ir

    found: list[str] = []

    def visit(op: Any) -> Any:
        op = op.operation
        texts = [str(result.type) for result in op.results]
        texts += [str(operand.type) for operand in op.operands]
        if "function_type" in op.attributes:
            texts.append(str(op.attributes["function_type"]))
        for text in texts:
            if _F64.search(text):
                found.append(f"{op.name} with {text} at {op.location}")
                return ir.WalkResult.INTERRUPT
        return ir.WalkResult.ADVANCE

    root.walk(visit)
    if found:
        raise TargetError(
            f"the target {target} has no f64: expected floats of at most 32 bits, found {found[0]}"
            "; convert the model to f32 or compile for cpu or cuda"
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
