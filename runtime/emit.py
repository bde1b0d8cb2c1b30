"""Listings: what becomes of a model on the way to a module, as text."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fsa.errors import InputError, TargetError
from fsa.runtime.backend import dump_executables
from fsa.runtime.compile import lower, parse_targets, pipeline_text
from fsa.runtime.targets import Target

# form -> the ending of a file with it
SUFFIXES = {"mlir": ".lowered.mlir", "asm": ".s", "ptx": ".ptx", "spirv": ".spirv.mlir"}
# form -> the kind of target whose kernels have it, what IREE leaves, the start of a comment
_KERNELS = {
    "asm": ("cpu", "*.s", "#"),
    "ptx": ("cuda", "*.ptx", "//"),
    "spirv": ("vulkan", "*.spirv.mlir", "//"),
}


def listing(
    source: Any,
    form: str,
    *,
    target: str | Target,
    pipeline: str | None = None,
    skip: Sequence[str] = (),
    **reading: Any,
) -> str:
    """Return `source` as text in `form`.

    `mlir` is the module as FSA hands it to IREE, `asm` the assembly of a cpu target's kernels and
    of the dispatches that IREE forms, `ptx` those of a cuda target, and `spirv` those of a vulkan
    target, in MLIR's spirv dialect. `reading` are the options of `read_model`. Raises `InputError`
    and `TargetError`, also for a form that the target does not have.
    """
    from fsa.frontend.model import read_model

    targets = parse_targets(target)
    if len(targets) > 1:
        raise InputError(f"expected one target with --emit {form}, found {len(targets)}")
    wanted = targets[0]
    if form in _KERNELS and _KERNELS[form][0] != wanted.kind:
        raise TargetError(
            f"expected a {_KERNELS[form][0]} target with --emit {form}, found {wanted}, "
            f"which has {_form_of(wanted)}"
        )
    text = pipeline_text(wanted, pipeline, skip)
    lowered = lower(read_model(source, **reading), wanted, text)
    if form == "mlir":
        return f"{lowered}\n"
    _, pattern, comment = _KERNELS[form]
    with tempfile.TemporaryDirectory(prefix="fsa-") as folder:
        dump_executables(lowered, Target.of_module(lowered), Path(folder))
        files = sorted(Path(folder).glob(pattern))
        return "".join(
            f"{comment} {file.name.removesuffix(pattern[1:])}\n{file.read_text()}\n"
            for file in files
        )


def _form_of(target: Target) -> str:
    return next(form for form, (kind, _, _) in _KERNELS.items() if kind == target.kind)
