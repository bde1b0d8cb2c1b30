"""Any model in: the front end that a source belongs to is chosen here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from fsa.errors import InputError
from fsa.frontend.mlir import read_mlir
from fsa.frontend.onnx import is_onnx, read_onnx
from fsa.frontend.pytorch import is_pytorch, read_pytorch
from fsa.frontend.stablehlo import is_stablehlo, read_stablehlo


def read_model(
    source: Any,
    example_inputs: Sequence[Any] | None = None,
    *,
    shapes: Mapping[str, Sequence[int | str]] | None = None,
    dynamic_shapes: Any = None,
) -> Any:
    """Return `source` as a verified `ir.Module` on tensors.

    `source` is a `torch.nn.Module` or a `torch.export.ExportedProgram`, an ONNX file or
    `onnx.ModelProto`, a lowered or exported JAX function, or MLIR as `read_mlir` takes it, with
    StableHLO too. `example_inputs` and `dynamic_shapes` belong to PyTorch, `shapes` to ONNX. Raises
    `InputError`, also for an option that the kind of source has no use for.
    """
    if is_pytorch(source):
        _refuse(shapes=shapes, kind="a PyTorch model")
        return read_pytorch(source, example_inputs, dynamic_shapes)
    if is_onnx(source):
        _refuse(example_inputs=example_inputs, dynamic_shapes=dynamic_shapes, kind="an ONNX model")
        return read_onnx(source, shapes)
    from_jax = is_stablehlo(source)
    if not from_jax:
        _check_kind(source)
    kind = "StableHLO" if from_jax else "MLIR"
    _refuse(example_inputs=example_inputs, dynamic_shapes=dynamic_shapes, shapes=shapes, kind=kind)
    return read_stablehlo(source) if from_jax else read_mlir(source)


def _check_kind(source: Any) -> None:
    """Refuse what is a model in none of the forms that are known here."""
    from fsa.bindings import ir

    if isinstance(source, str | bytes | os.PathLike | ir.Module):
        return
    if isinstance(source, type):
        found = f"the class {source.__qualname__}: pass an instance"
    else:
        found = f"an object of type {type(source).__qualname__}"
    raise InputError(
        "expected a model: an nn.Module or ExportedProgram of PyTorch, an ONNX ModelProto, a "
        f"lowered JAX function, MLIR, or the path of a file, found {found}"
    )


def _refuse(kind: str, **options: Any) -> None:
    """Refuse options that were given and mean nothing for `kind`."""
    for name, value in options.items():
        if value is not None:
            raise InputError(
                f"expected no {name} with {kind}, found an object of type "
                f"{type(value).__qualname__}"
            )
