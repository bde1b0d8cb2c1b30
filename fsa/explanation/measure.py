"""What each kernel takes on the device: of the portable lowering, and of FSA's."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fsa.errors import InputError
from fsa.explanation.data import Measured, Timing
from fsa.runtime import dispatches
from fsa.runtime.backend import compile_to_file
from fsa.runtime.compile import lower
from fsa.runtime.devices import open_device
from fsa.runtime.module import Module
from fsa.runtime.signature import ScalarSpec, Signature, TensorSpec, numpy_dtype
from fsa.runtime.targets import Target

PORTABLE = "fsa-to-linalg"
CALLS = 10
_SEED = 0


def measured(module: Any, lowered: Any, inputs: Sequence[Any] | None) -> Measured:
    """Time the kernels of `lowered` (an `ir.Operation`) and of `module`'s portable lowering.

    `inputs` are the arguments of the entry function; None takes random numbers for floats and ones
    for integers, which are often positions in a table. Raises `InputError` for sizes that are open
    then and for a wrong number of arguments, `DeviceUnavailable`, `CompileError`, and `FsaError`
    where a module does not run.
    """
    target = Target.of_module(lowered)
    open_device(target.kind)  # says what is missing before anything is compiled
    with tempfile.TemporaryDirectory(prefix="fsa-") as folder:
        after = Path(folder) / "after.vmfb"
        compile_to_file(lowered, target, after)
        signature = _entry(after)
        arguments = _arguments(signature) if inputs is None else list(inputs)
        if len(arguments) != len(signature.arguments):
            raise InputError(
                f"expected {len(signature.arguments)} arguments of @{signature.name}, "
                f"found {len(arguments)}"
            )
        before = Path(folder) / "before.vmfb"
        compile_to_file(lower(module, target, PORTABLE), target, before)
        rows = [_times(path, target, arguments, signature.name) for path in (before, after)]
    return Measured(dispatches.DRIVERS[target.kind], CALLS, *rows)


def _entry(path: Path) -> Signature:
    loaded = Module(path.read_bytes())
    return loaded.signatures[loaded.entry_name()]


def _times(path: Path, target: Target, arguments: list[Any], name: str) -> tuple[Timing, ...]:
    rows = dispatches.times(path, target.kind, arguments, name, CALLS)
    return tuple(Timing(row.name, row.launches, row.seconds) for row in rows)


def _arguments(signature: Signature) -> list[Any]:
    """Return arguments for a function of static sizes."""
    import numpy as np

    random = np.random.default_rng(_SEED)
    found: list[Any] = []
    for index, spec in enumerate(signature.arguments):
        if isinstance(spec, ScalarSpec):
            found.append(1.0 if spec.is_float else 1)
            continue
        if not isinstance(spec, TensorSpec) or None in spec.shape:
            raise InputError(
                f"expected static sizes to measure with, found {signature.argument(index)} of type "
                f"{spec}; give sizes with --shape, or arguments with --input"
            )
        dtype = numpy_dtype(spec.element)
        shape = [size or 0 for size in spec.shape]
        is_float = np.issubdtype(dtype, np.floating) or dtype.name in ("bfloat16", "float16")
        array = random.standard_normal(shape) if is_float else np.ones(shape)
        found.append(array.astype(dtype))
    return found
