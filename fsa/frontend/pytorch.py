"""PyTorch in: an `nn.Module` or an exported program becomes linalg on tensors.

`torch.export` traces the model, torch-mlir's importer turns the graph into its `torch` dialect, and
its passes lower that to linalg. Weights stay where PyTorch keeps them until IREE takes them:
they cross as resources that share their memory.
"""

import warnings
from collections.abc import Sequence
from typing import Any

from fsa.errors import InputError

LOWERING = (
    "builtin.module(func.func(torch-match-quantized-custom-ops),"
    "torchdynamo-export-to-torch-backend-pipeline{backend-legal-ops= extra-library=},"
    "torch-backend-to-linalg-on-tensors-backend-pipeline)"
)


def is_pytorch(source: Any) -> bool:
    """Return whether `source` is an `nn.Module` or an `ExportedProgram`; imports nothing."""
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(source).__mro__}
    return bool(
        names & {"torch.nn.modules.module.Module", "torch.export.exported_program.ExportedProgram"}
    )


def read_pytorch(
    source: Any,
    example_inputs: Sequence[Any] | None = None,
    dynamic_shapes: Any = None,
) -> Any:
    """Return `source` as a verified `ir.Module` with one public function, `main`.

    `source` is an `nn.Module`, called as `source(*example_inputs)`, or a
    `torch.export.ExportedProgram`. `dynamic_shapes` is what `torch.export.export` takes: a
    `torch.export.Dim` there becomes a dynamic dimension. Parameters and buffers become constants.
    Raises `InputError` naming the PyTorch node and its line for what cannot be exported or lowered.
    """
    try:
        import torch
    except ImportError:
        raise InputError("PyTorch models need torch: run `pip install 'fsa[torch]'`") from None
    program = source
    if isinstance(source, torch.nn.Module):
        program = _export(source, example_inputs, dynamic_shapes)
    elif example_inputs is not None or dynamic_shapes is not None:
        raise InputError(
            "expected no example_inputs and no dynamic_shapes with an ExportedProgram, "
            "which already has its shapes"
        )
    return _import(program)


def _export(model: Any, example_inputs: Sequence[Any] | None, dynamic_shapes: Any) -> Any:
    import torch

    if example_inputs is None:
        raise InputError(
            "expected example inputs with an nn.Module, which torch.export traces with them: "
            "fsa.compile(model, (x,))"
        )
    inputs = example_inputs if isinstance(example_inputs, tuple | list) else (example_inputs,)
    training = model.training
    model.eval()
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return torch.export.export(model, tuple(inputs), dynamic_shapes=dynamic_shapes)
    except Exception as error:
        raise InputError(f"torch.export cannot trace the model: {_reason(error)}") from None
    finally:
        model.train(training)


def _reason(error: Exception) -> str:
    """Return the lines of a torch.export error that name the cause and the user's own line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = lines[0] if lines else type(error).__name__
    where = next((line for line in reversed(lines) if line.startswith("File ")), "")
    return f"{cause} ({where})" if where and where != cause else cause


def _import(program: Any) -> Any:
    from fsa.bindings import fx_decompositions, fx_importer, load_extensions
    from fsa.dialects.fsa.dialect import new_context
    from fsa.frontend.torch_constants import pack_constants, program_constants
    from fsa.frontend.torch_custom_ops import decompositions, lower_torch

    table = {**fx_decompositions.get_decomposition_table(), **decompositions()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decomposed = program.run_decompositions(table)
    pack_constants(decomposed.graph, program_constants(decomposed))
    # The importer looks for every buffer in the state dict; torch.export keeps the non-persistent
    # ones, which no checkpoint holds, among the constants.
    for name in decomposed.graph_signature.inputs_to_buffers.values():
        decomposed.state_dict.setdefault(name, decomposed.constants.get(name))
    context = new_context()
    load_extensions(context, {"torch", "torch_c", "tm_tensor"})
    importer = fx_importer.FxImporter(context=context)
    try:
        importer.import_frozen_program(decomposed, func_name="main")
    except Exception as error:
        raise InputError(f"the PyTorch graph cannot be imported: {_reason(error)}") from None
    module = importer.module
    lower_torch(module, LOWERING, "the PyTorch graph")
    return module
