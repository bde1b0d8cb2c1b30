"""Any model in: the front end that a source belongs to is chosen here."""

from __future__ import annotations

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
    _refuse(
        example_inputs=example_inputs, dynamic_shapes=dynamic_shapes, shapes=shapes, kind="MLIR"
    )
    return read_stablehlo(source) if is_stablehlo(source) else read_mlir(source)


def _refuse(kind: str, **options: Any) -> None:
    """Refuse options that were given and mean nothing for `kind`."""
    for name, value in options.items():
        if value is not None:
            raise InputError(
                f"expected no {name} with {kind}, found an object of type "
                f"{type(value).__qualname__}"
            )
