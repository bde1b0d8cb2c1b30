"""What IREE makes of a computation without FSA: the portable lowering, compiled at O3.

IREE knows no fsa ops, so they become linalg first; everything after that is stock: IREE's own
`compile_str` with the flags that name the target, `--iree-opt-level=O3` and no other.
"""

from typing import Any

from fsa.errors import CompileError
from fsa.runtime.compile import lower
from fsa.runtime.module import Module
from fsa.runtime.target_tables import CUDA_FOR_IREE
from fsa.runtime.targets import ATTRIBUTE, Target

_TARGET_FLAGS = {
    "cpu": (
        "--iree-hal-target-device=local",
        "--iree-hal-local-target-device-backends=llvm-cpu",
        "--iree-llvmcpu-target-cpu={arch}",
    ),
    "vulkan": ("--iree-hal-target-device=vulkan", "--iree-vulkan-target={arch}"),
    "cuda": ("--iree-hal-target-device=cuda", "--iree-cuda-target={arch}"),
}
_DEFAULT_ARCH = {"cpu": "host", "vulkan": "", "cuda": "sm_89"}


def flags(target: str) -> list[str]:
    """Return IREE's flags for a target text such as `cpu`, `cuda:sm_80`."""
    kind, _, arch = target.partition(":")
    arch = arch or _DEFAULT_ARCH[kind]
    arch = CUDA_FOR_IREE.get(arch, arch)
    named = [flag.format(arch=arch) for flag in _TARGET_FLAGS[kind] if arch or "{" not in flag]
    return [*named, "--iree-opt-level=O3"]


def lowered(module: Any, target: str) -> str:
    """Return a copy of `module` (an `ir.Module`) as linalg on tensors, free of anything of FSA."""
    root = lower(module, Target.parse(target), "fsa-to-linalg")
    if ATTRIBUTE in root.attributes:
        del root.attributes[ATTRIBUTE]
    return str(root)


def compile_to_vmfb(module: Any, target: str) -> bytes:
    """Lower a copy of `module` (an `ir.Module`) to linalg and compile it; raise `CompileError`."""
    return _compiled(lowered(module, target), target)


def _compiled(text: str, target: str) -> bytes:
    from iree.compiler import CompilerToolError, compile_str

    try:
        found: Any = compile_str(text, extra_args=flags(target))
    except CompilerToolError as error:
        lines = [line for line in str(error).splitlines() if "error:" in line]
        reason = lines[0].partition("error:")[2].strip() if lines else "no reason given"
        raise CompileError(f"plain IREE cannot compile the module: {reason}") from None
    return bytes(found)


def compile_module(module: Any, target: str, device: str | None = None) -> Module:
    """Compile as `compile_to_vmfb` does and load the result on the target's device."""
    return Module(compile_to_vmfb(module, target), device or target.partition(":")[0])


def compile_text(text: str, target: str, device: str | None = None) -> Module:
    """Compile MLIR text that IREE reads as it is, and load the result on the target's device."""
    return Module(_compiled(text, target), device or target.partition(":")[0])
