"""PyTorch in: an `nn.Module` or an exported program becomes linalg on tensors.

`torch.export` traces the model (`pytorch_export`), torch-mlir's importer turns the graph into its
`torch` dialect (`pytorch_import`), and its passes lower that to linalg. Weights stay where PyTorch
keeps them until IREE takes them: they cross as resources that share their memory.
"""

from __future__ import annotations

import os
from typing import Any

from fsa.errors import InputError

LOWERING = (
    "builtin.module(func.func(torch-match-quantized-custom-ops),"
    "torchdynamo-export-to-torch-backend-pipeline{"
    "backend-legal-ops=aten.flatten.using_ints extra-library=},"
    "torch-backend-to-linalg-on-tensors-backend-pipeline)"
)
_CLASSES = {
    "torch.nn.modules.module.Module",
    "torch.export.exported_program.ExportedProgram",
}
_SUFFIXES = (".pt2", ".pt", ".pth")


def is_pytorch(source: Any) -> bool:
    """Return whether `source` is an `nn.Module`, an `ExportedProgram` or a path of PyTorch's.

    Imports nothing.
    """
    if isinstance(source, str | os.PathLike):
        path = os.fspath(source)
        return isinstance(path, str) and "\n" not in path and path.endswith(_SUFFIXES)
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(source).__mro__}
    return bool(names & _CLASSES)


def read_pytorch(source: Any, example_inputs: Any = None, dynamic_shapes: Any = None) -> Any:
    """Return `source` as a verified `ir.Module` with one public function, `main`.

    `source` is an `nn.Module`, a `torch.export.ExportedProgram` or the path of one (`.pt2`). A
    module is traced in evaluation mode and left in the mode it was in. `example_inputs` is what it
    is called with: a tuple or list of positional arguments, a dict of keyword arguments, or one
    tensor. `dynamic_shapes` is what `torch.export.export` takes: a `torch.export.Dim` there
    becomes a dynamic dimension.

    Parameters and buffers become constants that share the model's memory, so they must not change
    while the result is in use. The arguments of `main` are the tensors among the inputs and its
    results those among the outputs, in the order in which `torch.utils._pytree` flattens nested
    ones; other inputs are fixed at their example's value, and None among the outputs is left out.

    Raises `InputError` naming the PyTorch node and its line for what cannot be exported, imported
    or lowered, such as a model that changes its buffers or inputs.
    """
    try:
        import torch
    except ImportError:
        raise InputError("PyTorch models need torch: run `pip install 'fsa[torch]'`") from None
    from fsa.frontend.pytorch_export import export_module, load_program
    from fsa.frontend.pytorch_import import import_program
    from fsa.frontend.torch_custom_ops import lower_torch

    if isinstance(source, torch.nn.Module):
        program = export_module(source, example_inputs, dynamic_shapes)
    elif example_inputs is not None or dynamic_shapes is not None:
        raise InputError(
            "expected no example_inputs and no dynamic_shapes with an exported program, "
            "which already has its shapes"
        )
    else:
        program = load_program(source) if isinstance(source, str | os.PathLike) else source
    module = import_program(program)
    lower_torch(module, LOWERING, "the PyTorch graph")
    return module
