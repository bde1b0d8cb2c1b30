"""FSA: an MLIR compiler for small, memory-bound, binarized and capsule networks.

`import fsa` loads neither MLIR nor IREE; the functions below load what they need.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fsa.explanation.data import Explanation
    from fsa.runtime.module import Module
    from fsa.runtime.targets import Target

__version__ = "0.1.0"
__all__ = ["Module", "compile", "explain", "load", "reference"]


def compile(
    source: Any,
    example_inputs: Sequence[Any] | None = None,
    *,
    target: str | Target | Sequence[str | Target] = "cpu",
    pipeline: str | None = None,
    skip: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int | str]] | None = None,
    dynamic_shapes: Any = None,
    parameters: str | os.PathLike[str] | None = None,
    cache: bool = True,
) -> Module:
    """Compile `source` for `target` and return the module, ready to call or to save.

    `source` is one of:

    - a `torch.nn.Module`, with `example_inputs` that it can be called with; `dynamic_shapes` is as
      `torch.export.export` takes it, a `torch.export.Dim` stands for a dimension that may change;
    - a `torch.export.ExportedProgram`, or the path of one that was saved (`.pt2`);
    - an ONNX file (`.onnx`) or `onnx.ModelProto`; `shapes` gives the sizes of inputs by name, an
      int for a fixed one, a str for one that stays dynamic: `{"x": ("batch", 3, 224, 224)}`;
    - a JAX function, lowered (`jax.jit(f).lower(x)`) or exported (`jax.export`), or StableHLO, with
      CHLO, as a path, text, bytecode or portable artifact;
    - MLIR: a path, text, bytecode or an `ir.Module`, which stays unchanged.

    `target` is `cpu`, `cpu:<LLVM CPU>`, `vulkan`, `vulkan:<IREE target>`, `cuda` or `cuda:sm_NN`.
    Several, in a sequence or with commas, give a module with a variant for each, which takes the
    one that fits when it first runs, and is saved as one file.
    `pipeline` is the name of a pipeline of `fsa-opt --list-pipelines`; None takes the target's
    kernel pipeline. `skip` names clean-up passes of `fsa-clean-up` to leave out.

    With `parameters`, the path of an archive (`.irpa`) to write, large constants go there instead
    of into the module. `cache` False compiles anew; see docs/deployment.md.

    Raises `InputError`, `TargetError`, `PassFailure` or `CompileError`. The device opens at the
    first call, so a module for a device that is not here can be compiled and saved.
    """
    from fsa.runtime.compile import compile_module

    return compile_module(
        source,
        target,
        pipeline,
        skip=skip,
        cache=cache,
        parameters=parameters,
        example_inputs=example_inputs,
        shapes=shapes,
        dynamic_shapes=dynamic_shapes,
    )


def explain(
    source: Any,
    example_inputs: Sequence[Any] | None = None,
    *,
    target: str | Target = "cpu",
    pipeline: str | None = None,
    skip: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int | str]] | None = None,
    dynamic_shapes: Any = None,
    measure: bool | Sequence[Any] = False,
) -> Explanation:
    """Say what compiling `source` for `target` does to it, and why.

    The arguments are those of `compile`. The result holds the graph before and after, the stitched
    regions with the plan and the reason of every value, the kernels, and what was left out, as
    plain data; see `fsa.explanation.data`. With `measure` the module also runs on the device, on
    the arguments in `measure` or, for True, on random ones, and each kernel is timed.

    Raises what `compile` raises, and `FsaError` where a measured module does not run.
    """
    from fsa.explanation.explain import explain_model

    return explain_model(
        source,
        target,
        pipeline,
        skip=skip,
        measure=measure,
        example_inputs=example_inputs,
        shapes=shapes,
        dynamic_shapes=dynamic_shapes,
    )


def load(
    path: str | os.PathLike[str],
    device: str | None = None,
    *,
    parameters: str | os.PathLike[str] | None = None,
) -> Module:
    """Load a compiled module on `device` (`cpu`, `cpu:sync`, `cpu:task`, `vulkan`, `cuda`, ...).

    None means the kind of device that the module was compiled for; from a file for several targets
    it takes the variant that fits this machine best. `parameters` is the archive with the module's
    weights, if it was compiled with one. Raises `InputError` or `DeviceUnavailable`.
    """
    from fsa.runtime.loading import load as load_module

    return load_module(path, device, parameters)


def reference(op: str) -> Callable[..., Any]:
    """Return the NumPy function that states what `op` means: `fsa.pack_bits` or `pack_bits`.

    It takes the operands as arrays and the attributes as keywords; that of a stitched region takes
    the op first. Raises `InputError` for a name without a meaning of its own.
    """
    from fsa.dialects.fsa.reference import reference_of
    from fsa.errors import InputError

    try:
        return reference_of(op)
    except (KeyError, AttributeError):
        raise InputError(f"expected an op that has a reference, found {op!r}") from None


def __getattr__(name: str) -> Any:
    """Import `Module`, the type of a compiled module, on first use."""
    if name == "Module":
        from fsa.runtime.module import Module

        return Module
    raise AttributeError(f"module fsa has no attribute {name!r}")
