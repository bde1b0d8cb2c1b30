"""Processor features: those that code for a target may use, and those that this machine lacks.

IREE resolves the name of a processor to LLVM's list of its features. Names here are Linux's, as
`/proc/cpuinfo` spells them.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from fsa.errors import TargetError
from fsa.runtime import host
from fsa.runtime.targets import Target

# LLVM's name -> Linux's, of the features that LLVM's code generator uses by itself. Others (adx,
# sha, clzero, ...) are in the lists too, but only code that names them contains them.
_X86 = {
    **{name: name for name in "ssse3 popcnt avx avx2 fma f16c bmi2 movbe gfni".split()},
    **{name: name for name in "sse4a xop tbm fma4 avx512f avx512cd avx512bw avx512dq".split()},
    **{name: name for name in "avx512vl avx512ifma avx512vbmi".split()},
    **{"sse3": "pni", "sse4.1": "sse4_1", "sse4.2": "sse4_2", "bmi": "bmi1", "lzcnt": "abm"},
    **{"cx16": "cx16", "avxvnni": "avx_vnni", "avx512vbmi2": "avx512_vbmi2"},
    **{"avx512vnni": "avx512_vnni", "avx512bf16": "avx512_bf16", "avx512fp16": "avx512_fp16"},
    **{"avx512vpopcntdq": "avx512_vpopcntdq", "avx512bitalg": "avx512_bitalg"},
    **{"amx-tile": "amx_tile", "amx-int8": "amx_int8", "amx-bf16": "amx_bf16"},
}
_AARCH64 = {
    **{"lse": "atomics", "fullfp16": "fphp", "dotprod": "asimddp", "rdm": "asimdrdm"},
    **{"i8mm": "i8mm", "bf16": "bf16", "sve": "sve", "sve2": "sve2", "jsconv": "jscvt"},
    **{"complxnum": "fcma", "fp16fml": "asimdfhm"},
}
_PROBE = b"func.func @f(%a: tensor<1xf32>) -> tensor<1xf32> { return %a : tensor<1xf32> }"


def required_features(target: Target) -> frozenset[str]:
    """Return the processor features, by Linux's names, that code for `target` may use."""
    return _features(target) if target.kind == "cpu" else frozenset()


@dataclass(frozen=True)
class Needs:
    """What code for `target` needs of a machine; `architecture` and `features` are a CPU's.

    The architecture is the first part of an LLVM triple; both are empty where nothing is known.
    """

    target: str
    architecture: str = ""
    features: tuple[str, ...] = ()

    def lacking(self) -> str:
        """Return what this machine's processor lacks, as a phrase; "" when it lacks nothing."""
        if self.architecture and self.architecture != host.architecture():
            return f"an {self.architecture} processor"
        available = host.features()
        missing = sorted(set(self.features) - available) if available else []
        return f"a processor with {', '.join(missing)}" if missing else ""


@cache
def _features(target: Target) -> frozenset[str]:
    """Ask IREE what it makes of the processor that `target` names."""
    import iree.compiler.api.ctypes_dl as binding
    from iree.compiler import api

    library: Any = vars(binding)["_dylib"]
    stop_after = library.ireeCompilerInvocationSetCompileToPhase
    stop_after.restype = None
    stop_after.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    with api.Session() as session:
        session.set_flags(*target.iree_flags())
        invocation: Any = session.invocation()
        invocation.parse_source(api.Source.wrap_buffer(session, _PROBE))
        stop_after(invocation._inv_p, b"global-optimization")
        invocation.execute()
        output = api.Output.open_membuffer()
        invocation.output_ir(output)
        text = bytes(output.map_memory()).decode()
    found = re.search(r'cpu_features = "([^"]*)"', text)
    if found is None:
        raise TargetError(f"expected IREE to name the features of {target}, found none")
    names = _X86 if target.llvm_architecture() == "x86_64" else _AARCH64
    # A later entry of the list overrides an earlier one.
    state = {item[1:]: item.startswith("+") for item in found[1].split(",") if item}
    return frozenset(names[name] for name, on in state.items() if on and name in names)
